import { join } from "node:path";
import { desktopConfigName } from "../platform/paths.ts";
import { activePlugin, installedBundle } from "../setup/other-installs.ts";
import { type Check, warn } from "./check.ts";

/** A plugin or a bundle beside what setup put in: everything is there twice then. */
export const checkBeside: Check = ({ configuration, surroundings: { places } }) => {
  const registered = configuration.code?.at(["mcpServers", "relay"]) !== undefined;
  const plugin = activePlugin(places.claudeFolder);
  const bundles = places.desktopFolders.flatMap((folder) => {
    const config = configuration.desktop.find(({ path }) => path === join(folder, desktopConfigName));
    const bundle = installedBundle(folder);
    return bundle && config?.at(["mcpServers", "relay"]) !== undefined ? [bundle] : [];
  });
  return [
    ...(plugin && registered
      ? [
          warn(
            "plugin",
            `${plugin} is installed beside what setup put in, so everything is there twice`,
            `Run: claude plugin uninstall ${plugin}`,
          ),
        ]
      : []),
    ...bundles.map((bundle) =>
      warn(
        "bundle",
        `${bundle} is installed beside the registration, so Claude Desktop has every tool twice`,
        "Remove it in Claude Desktop: Settings, Extensions.",
      ),
    ),
  ];
};
