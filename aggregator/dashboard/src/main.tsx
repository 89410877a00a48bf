import { render } from "preact";
import { App } from "./app.tsx";
import { startLive } from "./data/live.ts";
import { followTheme } from "./format/settings.ts";
import { followRoute } from "./router.ts";

followTheme();
startLive();
followRoute();
const root = document.getElementById("app")!;
root.replaceChildren();
render(<App />, root);
