"""A notification daemon that shows nothing: appends a JSON line for each notification to the file of its first argument.

Reads from standard input, line by line, how to behave from then on: "answer", "hang" (answers nothing any more),
"sound" or "silent" (whether it says that it can play sounds).
"""

import json
import sys
import threading
import time

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.freedesktop.Notifications"
behaviour = {"hang": False, "sound": False}


class Daemon(dbus.service.Object):
    count = 0

    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u", async_callbacks=("answer", "fail"))
    def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout, answer, fail):
        if behaviour["hang"]:
            return
        self.count += 1
        line = {"app": app, "summary": summary, "body": body, "hints": {str(key): str(hints[key]) for key in hints}}
        line["at"] = time.time() * 1000
        with open(sys.argv[1], "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        answer(dbus.UInt32(self.count))

    @dbus.service.method(NAME, out_signature="as")
    def GetCapabilities(self):
        return ["body", "body-markup"] + (["sound"] if behaviour["sound"] else [])

    @dbus.service.method(NAME, out_signature="ssss")
    def GetServerInformation(self):
        return ("recorder", "relay", "1", "1.2")


def obey():
    for line in sys.stdin:
        word = line.strip()
        if word in ("answer", "hang"):
            behaviour["hang"] = word == "hang"
        if word in ("sound", "silent"):
            behaviour["sound"] = word == "sound"
        print(word, flush=True)


DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
owned = dbus.service.BusName(NAME, bus)
daemon = Daemon(bus, "/org/freedesktop/Notifications")
threading.Thread(target=obey, daemon=True).start()
print("ready", flush=True)
GLib.MainLoop().run()
