import type { Notification } from "../core/notifier.ts";
import { pickVariables, type System } from "../platform/system.ts";
import type { Plan } from "./toast.ts";

/** PowerShell may need more than 3 s for its first start (facts.md). */
export const limitMilliseconds = 15_000;

/** The path of Windows PowerShell, below the folder of Windows. */
export const powershell = ["System32", "WindowsPowerShell", "v1.0", "powershell.exe"];

// Windows shows a toast only for an application it knows; this is Windows PowerShell's own identity.
const application = "{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe";

/** The script's last output. PowerShell may end with status 0 before it ran any of the script. */
export const proof = "shown";

// The texts come in the environment and go into text nodes, so nothing parses them.
const script = `$ErrorActionPreference = 'Stop'
[void][Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
[void][Windows.Data.Xml.Dom.XmlDocument, Windows.Data.Xml.Dom.XmlDocument, ContentType = WindowsRuntime]
$toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$texts = $toast.GetElementsByTagName('text')
[void]$texts.Item(0).AppendChild($toast.CreateTextNode($env:RELAY_TITLE))
[void]$texts.Item(1).AppendChild($toast.CreateTextNode($env:RELAY_BODY))
$audio = $toast.CreateElement('audio')
if ($env:RELAY_SOUND) { $audio.SetAttribute('src', $env:RELAY_SOUND) } else { $audio.SetAttribute('silent', 'true') }
[void]$toast.DocumentElement.AppendChild($audio)
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier('${application}').Show([Windows.UI.Notifications.ToastNotification]::new($toast))
[Console]::Out.Write('${proof}')
`;

/** The constant arguments of Windows PowerShell. `-EncodedCommand` takes Base64 of UTF-16. */
export const powershellArguments = [
  "-NoLogo",
  "-NoProfile",
  "-NonInteractive",
  "-WindowStyle",
  "Hidden",
  "-EncodedCommand",
  Buffer.from(script, "utf16le").toString("base64"),
];

/** The texts of a notification, as the script's variables. */
export function toastVariables({ title, body, sound }: Notification): Record<string, string> {
  // the names after the prefix are Default, IM, Mail, Reminder, SMS and some that loop
  const source = sound ? `ms-winsoundevent:Notification.${sound === "default" ? "Default" : sound}` : "";
  return { RELAY_TITLE: title, RELAY_BODY: body, RELAY_SOUND: source };
}

const passedOn = ["SystemRoot", "SystemDrive", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA"];

/** A toast through Windows PowerShell. */
export function windowsPlan(notification: Notification, { variables, exists }: System): Plan {
  const programIn = (folder: string) => [folder, ...powershell].join("\\");
  const usual = "C:\\Windows"; // a project's settings may set SystemRoot
  const root = exists(programIn(usual)) ? usual : variables.SystemRoot || usual;
  return {
    toast: {
      argv: [programIn(root), ...powershellArguments],
      env: { ...pickVariables(variables, passedOn), SystemRoot: root, ...toastVariables(notification) },
    },
    proof,
    folder: root,
    limitMilliseconds,
  };
}
