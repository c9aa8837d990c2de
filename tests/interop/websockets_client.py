"""A person's journey on /api/ws with the Python library `websockets`; exit code 0 if every step
went well.

The one argument is JSON: url, token, room, after. It follows the room from `after`, hears what was
missed and what comes, writes, types, and prints each line it is told in `message_created`.
"""

import asyncio
import json
import sys

import websockets

SCENE = json.loads(sys.argv[1])
PATIENCE_S = 20


class Client:
    """One connection: events are asked for by their type."""

    def __init__(self, socket):
        self.socket = socket

    async def say(self, **event):
        await self.socket.send(json.dumps(event))

    async def hear(self, kind, **fields):
        while True:
            event = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))
            if event["type"] == kind and fields.items() <= event.items():
                return event


def offers(token):
    return {"subprotocols": ["hearth.v1", f"bearer.{token}"], "open_timeout": PATIENCE_S}


async def refused():
    """Who has no token is answered 401 before the upgrade."""
    try:
        async with websockets.connect(SCENE["url"], **offers("wrong")):
            raise AssertionError("let in without a token")
    except websockets.InvalidStatus as answer:
        assert answer.response.status_code == 401, answer
        assert json.loads(answer.response.body)["code"] == "wrong_token"


async def journey():
    room = {"room_id": SCENE["room"]}
    async with websockets.connect(SCENE["url"], **offers(SCENE["token"])) as socket:
        assert socket.subprotocol == "hearth.v1"
        client = Client(socket)
        await client.say(type="join_room", ref="join", after=SCENE["after"], **room)
        ack = await client.hear("ack", ref="join")
        assert ack["position"] > SCENE["after"], ack
        missed = await client.hear("message_created", **room)
        assert missed["message"]["content"] == "missed", missed
        # A ping of one's own is answered.
        await asyncio.wait_for(await socket.ping(), PATIENCE_S)
        await client.say(type="typing_start", **room)
        await client.say(type="send_message", ref=7, content="from Python: é 🔥", **room)
        stored = await client.hear("ack", ref=7)
        assert stored["message"]["content"] == "from Python: é 🔥", stored
        answer = await client.hear("message_created", **room)
        while answer["message"]["content"] != "from the browser":
            answer = await client.hear("message_created", **room)
        await client.say(type="read_message", ref="read", message_id=answer["message"]["id"])
        await client.hear("ack", ref="read")
        await socket.send("{")
        assert (await client.hear("error"))["code"] == "bad_json"
        await socket.send(b"\x00\x01")
        assert (await client.hear("error"))["code"] == "not_text"
        await client.say(type="leave_room", ref="left", **room)
        await client.hear("ack", ref="left")
    assert socket.close_code == 1000, socket.close_code


asyncio.run(refused())
asyncio.run(journey())
print("done")
