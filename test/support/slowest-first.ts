import { BaseSequencer, type TestSpecification } from "vitest/node";

/** In this order, before all others: a long file that is begun last keeps one core busy and the other waiting. */
const SLOWEST = ["test/e2e/docs/", "test/e2e/", "test/integration/"];

/** The files that take longest begin first. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = SLOWEST.findIndex((folder) => moduleId.includes(folder));
      return at < 0 ? SLOWEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
