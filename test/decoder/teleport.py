"""teleport.py: PROTOCOL.md, sections 3.3, 3.4, 5 and 6: a guest that moves, and
the question what became of one."""
from fields import Reader, json_body, json_list, require
from prose import check_plain
from stream import Stream
from talk import Talk

FATES = {1: "running", 2: "abandoned", 3: "uncertain", 4: "in_progress", 5: "paused"}


def is_id(text):
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)


def is_uuid(text):
    return [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12] and all(
        letter in "0123456789abcdef-" for letter in text)


class Teleport(Talk):
    disks_in = {"disks", "waiting", "turn", "memory"}

    def __init__(self, images):
        super().__init__(images)
        self.durable = False
        self.turns = [False, False]  # the source takes them, the destination gives them
        self.stream = Stream()

    def told(self):
        return f"{super().told()}, a stream of {self.stream.length} bytes"

    def other(self, name, body):
        """A record that says something for people and changes no state."""
        check_plain(name, self.state, body)

    def on_offer(self, _, body):
        if self.state == "answered" and self.problems:
            self.state = "greeted"  # it may offer again
        self.walk("greeted", "offered")
        offer = json_body(body, {"id": str, "live": bool, "guest": dict, "source": dict})
        require(is_id(offer["id"]), "the id")
        self.turns[0] = self.turn_flag(offer, "takes_turns")
        disks = json_list(offer["guest"], "disks", {"vdev": str, "size": int, "is_cdrom": bool, "device": str})
        self.offered([(disk["vdev"], disk["size"]) for disk in disks if disk["device"]])

    def on_answer(self, _, body):
        answer = json_body(body, {"host": str, "problems": dict, "disks": list})
        self.problems = json_list(answer["problems"], "problems", {"code": str, "sentence": str})
        room = answer.get("room", {})
        require(all(isinstance(value, int) and value >= 0 for value in room.values()), "the room")
        self.turns[1] = self.turn_flag(answer, "gives_turns")
        self.answered(answer)

    @staticmethod
    def turn_flag(body, name):
        flag = body.get(name, False)
        require(isinstance(flag, bool), name)
        return flag

    def on_ask_turn(self, _, body):
        require(not body, "it has a body")
        require(all(self.turns), "one of the sides knows no turns")
        require(self.disks.all_proven(), "extents are under way")
        self.walk("disks", "waiting")

    def on_turn(self, _, body):
        require(not body, "it has a body")
        self.walk("waiting", "turn")

    def on_guest_config(self, _, body):
        self.walk("turn" if all(self.turns) else "disks", "memory")
        config = json_body(body, {"disks": list})
        require([disk["vdev"] for disk in config["disks"] if disk.get("pdev_path")] == self.vdevs, "other disks")
        require(self.disks.all_proven(), "extents are under way")

    def on_stream_piece(self, _, body):
        require(self.state == "memory", f"in the state {self.state}")
        self.stream.on_piece(body)

    def on_disks_complete(self, sender, body):
        require(self.state == "memory", f"in the state {self.state}")
        super().on_disks_complete(sender, body)

    def on_disks_durable(self, _, body):
        require(not body, "it has a body")
        require(self.disks and self.disks.complete and not self.durable, "nothing was complete, or it was said before")
        self.durable = True

    def on_guest_received(self, _, body):
        require(not body, "it has a body")
        require(self.durable and self.stream.ended, "before the disks are durable and the stream is proven")
        self.walk("memory", "ready")

    def on_go(self, _, body):
        require(not body, "it has a body")
        self.walk("ready", "committed")

    def on_go_result(self, sender, body):
        self.walk("committed", "over")
        self.over.add(sender)
        result = json_body(body, {"runs": bool, "sentence": str, "bulk": dict, "rounds": dict})
        require(len(result["sentence"].encode()) <= 4096, "the sentence")
        require(result["runs"] == (result["sentence"] == ""), "a sentence though it runs, or none though it does not")
        self.origins(result)


class Query(Talk):
    def __init__(self, images):
        super().__init__(images)
        self.fate = None

    def told(self):
        return self.fate or "no answer"

    def on_query(self, _, body):
        self.walk("greeted", "asked")
        text = body.decode("latin-1")
        require(is_id(text[:32]), "the id")
        require(len(text) == 32 or is_uuid(text[32:]), "the uuid")

    def on_query_result(self, sender, body):
        self.walk("asked", "over")
        self.over.add(sender)
        reader = Reader(body)
        fate = reader.number(1)
        reader.done()
        require(fate in FATES, f"fate {fate}")
        self.fate = FATES[fate]
