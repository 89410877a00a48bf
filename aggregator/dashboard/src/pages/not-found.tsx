import type { JSX } from "preact";
import { href } from "../router.ts";
import { PageHead } from "../ui/panel.tsx";
import { Empty } from "../ui/states.tsx";

export function NotFound({ what }: { what: string }): JSX.Element {
  return (
    <>
      <PageHead title="Not found" />
      <Empty icon="info" title={`There is no such ${what}.`}>
        <a href={href("")}>Go to the site</a>
      </Empty>
    </>
  );
}
