"""seed.py: PROTOCOL.md, section 7: disks without a guest."""
from fields import json_body, json_list, require
from talk import Talk


class Seed(Talk):
    def on_seed(self, _, body):
        self.walk("greeted", "offered")
        seed = json_body(body, {"name": str, "uuid": str, "disks": list})
        name, uuid = seed["name"], seed["uuid"]
        require(name and len(name.encode()) <= 255 and "/" not in name and name[0] not in "-.", "the name")
        require(len(uuid) == 36 and uuid == uuid.lower(), "the uuid")
        self.offered([(disk["vdev"], disk["size"]) for disk in seed["disks"]])

    def on_answer(self, _, body):
        answer = json_body(body, {"host": str, "problems": dict, "disks": list})
        self.problems = json_list(answer["problems"], "problems", {"code": str, "sentence": str})
        self.answered(answer)
        if self.asked and not self.problems:
            self.walk("answered", "preparing")

    asked = False  # PREPARE came before ANSWER

    def on_prepare(self, sender, body):
        if self.state != "offered":
            super().on_prepare(sender, body)
            return
        require(not self.asked, "a second time")
        require(not body, "it has a body")
        self.asked = True

    def on_disks_complete(self, sender, body):
        super().on_disks_complete(sender, body)
        self.state = "keeping"

    def on_seeded(self, sender, body):
        self.walk("keeping", "over")
        self.over.add(sender)
        result = json_body(body, {"disks": list, "bulk": dict, "rounds": dict})
        require(len(result["disks"]) == len(self.vdevs), "the number of disks")
        self.targets(result)
        self.origins(result)
