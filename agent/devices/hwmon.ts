import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { nameFits } from "./glob.ts";

/** One of the kernel's hardware monitors. */
export interface HwmonChip {
  folder: string;
  /** The driver's name for it, the same at every boot. */
  name: string;
  /** The device that it sits on, such as a PCI address; empty where there is none. */
  device: string;
  files: readonly string[];
}

/** All chips below a folder such as /sys/class/hwmon, in a stable order. */
export async function hwmonChips(root: string): Promise<HwmonChip[]> {
  const folders = await readdir(root);
  const chips = await Promise.all(folders.map((folder) => chipIn(join(root, folder))));
  return chips
    .filter((chip) => chip !== null)
    .sort((a, b) => a.name.localeCompare(b.name) || a.device.localeCompare(b.device));
}

async function chipIn(folder: string): Promise<HwmonChip | null> {
  const name = await textOf(join(folder, "name"));
  if (name === null) return null;
  const device = await realpath(join(folder, "device")).catch(() => "");
  return { folder, name, device: basename(device), files: await readdir(folder) };
}

export function chipFits(address: { chip: string; device: string }): (chip: HwmonChip) => boolean {
  const [name, device] = [nameFits(address.chip), nameFits(address.device)];
  return (chip) => name(chip.name) && device(chip.device);
}

/**
 * A file's text without the line's end; null where it is not there or its driver cannot tell at the moment.
 *
 * @throws where it may not be read, which no waiting will change
 */
export async function textOf(file: string): Promise<string | null> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    // Drivers have many errors of their own for a sensor that is off, asleep or broken.
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || code === "EACCES") throw error;
    return null;
  }
}

export async function numberOf(file: string): Promise<number | null> {
  const text = await textOf(file);
  return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
}
