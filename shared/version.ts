// Imported rather than read, so that a bundle carries it.
import manifest from "../package.json" with { type: "json" };

/** The version of this checkout, from package.json. */
export function packageVersion(): string {
  return manifest.version;
}
