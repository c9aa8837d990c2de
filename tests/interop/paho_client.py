"""A person's journey with Eclipse Paho for Python; exit code 0 if every step went well.

The one argument is JSON: host, port, user, token, inlet, outlet, plain (a granted topic), version.
"""

import json
import queue
import socket
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SCENE = json.loads(sys.argv[1])
V5 = SCENE["version"] == 5
PATIENCE_S = 20


class Client:
    """One connection: `connected` says whether the session was there, `heard` what arrives."""

    def __init__(self, client_id, token=SCENE["token"], clean=True, will=None):
        self.answers, self.heard = queue.Queue(), queue.Queue()
        self.mqtt = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5 if V5 else mqtt.MQTTv311,
            clean_session=None if V5 else clean,
            reconnect_on_failure=False,
        )
        self.mqtt.username_pw_set(SCENE["user"], token)
        if will:
            self.mqtt.will_set(SCENE["inlet"], will, qos=1)
        self.mqtt.on_connect = lambda _c, _u, flags, reason, _p: self.answers.put((flags, reason))
        self.mqtt.on_subscribe = lambda *answer: self.answers.put(answer[3])
        self.mqtt.on_message = lambda _c, _u, message: self.heard.put(message)
        more = {}
        if V5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 0 if clean else 600
            more = {"clean_start": clean, "properties": properties}
        self.mqtt.connect(SCENE["host"], SCENE["port"], **more)
        self.mqtt.loop_start()
        flags, self.reason = self.answers.get(timeout=PATIENCE_S)
        self.session_present = flags.session_present

    def subscribe(self, topic, qos):
        self.mqtt.subscribe(topic, qos)
        granted = self.answers.get(timeout=PATIENCE_S)
        assert not granted[0].is_failure, (topic, granted)

    def publish(self, topic, text, qos, retain=False):
        self.mqtt.publish(topic, text, qos, retain).wait_for_publish(PATIENCE_S)

    def next(self):
        return self.heard.get(timeout=PATIENCE_S)

    def next_text(self):
        return json.loads(self.next().payload)["content"]

    def leave(self):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def fall_off(self):
        self.mqtt.socket().shutdown(socket.SHUT_RDWR)
        self.mqtt.loop_stop()


def wrong_token():
    assert Client("intruder", token="hearth_app_AAAA").reason.is_failure


def each_qos(reader, writer):
    for qos in (0, 1, 2):
        writer.publish(SCENE["inlet"], f"qos {qos}", qos)
        assert reader.next_text() == f"qos {qos}"


def will(reader):
    Client("faller", will="fell off").fall_off()
    assert reader.next_text() == "fell off"


def persistent_session(writer):
    sleeper = Client("sleeper", clean=False)
    assert not sleeper.session_present
    sleeper.subscribe(SCENE["outlet"], 1)
    sleeper.leave()
    for text in ("one", "two"):
        writer.publish(SCENE["inlet"], text, 1)
    awake = Client("sleeper", clean=False)
    assert awake.session_present
    assert [awake.next_text(), awake.next_text()] == ["one", "two"]
    awake.leave()


def retained(writer):
    topic = SCENE["plain"]
    writer.publish(topic, "kept", 1, retain=True)
    late = Client("late")
    late.subscribe(topic, 1)
    kept = late.next()
    assert (kept.payload, kept.retain) == (b"kept", True)
    writer.publish(topic, "", 1, retain=True)
    assert late.next().payload == b""
    later = Client("later")
    later.subscribe(topic, 1)
    writer.publish(topic, "new", 1)
    new = later.next()
    assert (new.payload, new.retain) == (b"new", False)
    later.leave()
    late.leave()


def main():
    wrong_token()
    reader, writer = Client("reader"), Client("writer")
    reader.subscribe(SCENE["outlet"], 1)
    each_qos(reader, writer)
    will(reader)
    persistent_session(writer)
    retained(writer)
    writer.leave()
    reader.leave()


main()
