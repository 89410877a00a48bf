import type { Clock } from "../../shared/time.ts";
import type { Plant } from "./plant.ts";

const PLANT_STEP_S = 1;

/**
 * Lets the plant follow a clock in steps of one second.
 *
 * @param onStep called after every step
 * @returns the function that stops it
 */
export function runPlant(plant: Plant, clock: Clock, onStep: () => void = () => {}): () => void {
  return clock.every(PLANT_STEP_S * 1000, () => {
    while (plant.now_ms + PLANT_STEP_S * 1000 <= clock.now()) {
      plant.step(PLANT_STEP_S);
      onStep();
    }
  });
}
