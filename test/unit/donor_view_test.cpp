// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/donor_view_test.cpp: looking for disks on a host: folders, sysfs,
// the book of kept disks.

#include "tools/teleportd/donor_view.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "test/unit/index_fixture.hpp"
#include "tools/teleportd/donor_set.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;
using paths = std::vector<std::string>;

constexpr const char* some_uuid = "6a3f3f0e-9a0f-4a55-8f0a-6f2f1c0d9b11";

std::string make_image(const std::string& path, std::uintmax_t size = 1_MiB) {
  std::ofstream(path).put('x');
  fs::resize_file(path, size);
  return path;
}

void put(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text << '\n';
}

/// Folders as sysfs has them.
class fake_sysfs {
 public:
  [[nodiscard]] host_roots roots() const {
    return {folder_ / "sys", folder_ / "dev"};
  }
  void device(const std::string& number, const std::string& name) const {
    put(at(number) + "/uevent", "MAJOR=1\nDEVNAME=" + name + "\nDISKSEQ=4");
    if (name.starts_with("loop")) {
      put(folder_ / "sys/block/" + name + "/dev", number);
    }
  }
  void loop(const std::string& number,
            const std::string& name,
            const std::string& file,
            const std::string& offset = "0") const {
    device(number, name);
    put(at(number) + "/loop/backing_file", file);
    put(at(number) + "/loop/offset", offset);
    put(at(number) + "/loop/sizelimit", "0");
  }
  [[nodiscard]] std::string at(const std::string& number) const {
    return folder_ / "sys/dev/block/" + number;
  }
  [[nodiscard]] std::string node(const std::string& name) const {
    return folder_ / "dev/" + name;
  }

 private:
  temp_folder folder_;
};

/// A host in a folder: images, state, locks and an index.
struct host_folder {
  temp_folder folder;
  settings options;
  std::shared_ptr<index::store> tables;

  host_folder() {
    fs::create_directory(folder / "img");
    fs::create_directory(folder / "run");
    options.state_path = folder / "state";
    options.run_path = folder / "run";
    options.index_folders = {folder / "img"};
    tables = index::open_store(folder / "index");
  }
  [[nodiscard]] std::string image(const std::string& name) const {
    return folder / "img/" + name;
  }
  [[nodiscard]] disk_book book() const {
    return *disk_book::open(options.kept_disks_path());
  }
};

kept_disk entry_of(const std::string& vdev) {
  kept_disk entry;
  entry.guest = "web";
  entry.uuid = some_uuid;
  entry.vdev = vdev;
  entry.size = 1_MiB;
  return entry;
}

}  // namespace

TEST_CASE("images in a folder are what a scan would find something in",
          "[donors]") {
  const temp_folder folder;
  const std::string b = make_image(folder / "b.img");
  const std::string a = make_image(folder / "a");
  const std::string shadow =
      make_image(b + std::string(shadow_suffix), 1_MiB + 512);
  make_image(folder / ".hidden");
  make_image(folder / "small", 1_MiB - 512);
  make_image(folder / "odd", 1_MiB + 1);
  make_image(folder / "two\nlines");
  std::ofstream(folder / "made-just-now").flush();
  fs::resize_file(folder / "made-just-now", 2_MiB);
  fs::create_symlink(a, folder / "link");
  fs::create_directory(folder / "sub");
  make_image(folder / "sub/c.img");
  CHECK(images_in(folder.path()) == paths{a, b, shadow});
  fs::create_directory_symlink(folder.path(), folder / "sub/again");
  CHECK(images_in(folder / "sub/again") == paths{a, b, shadow});
  CHECK(images_in(folder / "none").empty());
  CHECK(images_in(a).empty());
}

TEST_CASE("a path is a file, a device, something else, or nothing",
          "[donors]") {
  const temp_folder folder;
  const std::string file = make_image(folder / "a");
  fs::create_symlink("a", folder / "link");
  struct stat about {};
  REQUIRE(::stat(file.c_str(), &about) == 0);
  const device_number on{major(about.st_dev), minor(about.st_dev)};
  const path_facts facts = look_at_path(folder / "link");
  CHECK(facts.what == path_facts::kind::file);
  CHECK(facts.real == file);
  CHECK(facts.inode == about.st_ino);
  CHECK(facts.on == on);
  CHECK(look_at_path(folder.path()).what == path_facts::kind::other);
  CHECK(look_at_path("/dev/null").what == path_facts::kind::other);
  const path_facts none = look_at_path(folder / "none");
  CHECK(none.what == path_facts::kind::absent);
  CHECK(none.on == on);
  const path_facts lost = look_at_path(folder / "none/below");
  CHECK(lost.what == path_facts::kind::absent);
  CHECK(lost.on == device_number());
  CHECK(look_at_path(file + "/below").what == path_facts::kind::absent);
  CHECK(look_at_path(folder / std::string(5000, 'a')).what ==
        path_facts::kind::unreachable);
}

TEST_CASE("sysfs tells what lies under a loop device", "[donors]") {
  const fake_sysfs host;
  struct loop_case {
    const char* file;
    const char* offset;
    const char* backing;
  };
  const loop_case cases[] = {
      {"/img/a b", "0", "/img/a b"},
      {"/img/a (deleted)", "0", ""},
      {"/img/a", "4096", ""},
      {"", "0", ""},
  };
  for (const loop_case& one : cases) {
    INFO(one.file);
    host.loop("7:3", "loop3", one.file, one.offset);
    const auto facts = look_at_device({7, 3}, host.roots());
    REQUIRE(facts);
    CHECK(facts->is_loop);
    CHECK(facts->attached);
    CHECK(facts->backing == one.backing);
    CHECK(facts->node == host.node("loop3"));
    CHECK(facts->mapper.empty());
  }
  host.loop("7:3", "loop3", "/img/a");
  put(host.at("7:3") + "/loop/sizelimit", "512");
  CHECK(look_at_device({7, 3}, host.roots())->backing.empty());
  host.device("7:4", "loop4");
  CHECK_FALSE(look_at_device({7, 4}, host.roots())->attached);
  CHECK(look_at_device({7, 4}, host.roots())->is_loop);
}

TEST_CASE("sysfs tells volumes, partitions and what is not there", "[donors]") {
  const fake_sysfs host;
  host.device("253:2", "dm-2");
  put(host.at("253:2") + "/dm/name", "vg0-web");
  CHECK(look_at_device({253, 2}, host.roots())->mapper ==
        host.node("mapper/vg0-web"));
  host.device("259:1", "loop0p1");
  CHECK_FALSE(look_at_device({259, 1}, host.roots())->is_loop);
  CHECK(look_at_device({259, 1}, host.roots())->node == host.node("loop0p1"));
  CHECK_FALSE(look_at_device({8, 1}, host.roots()));
}

TEST_CASE("all that a view names is looked up", "[donors]") {
  const fake_sysfs host;
  const temp_folder folder;
  const std::string image = make_image(folder / "a");
  host.loop("7:3", "loop3", image);
  host.loop("7:5", "loop5", folder / "b");
  put(host.roots().sysfs + "/block/loop9/dev", "nonsense");
  host.device("253:2", "dm-2");
  donor_view view;
  view.guests = {{1, 253, 2, "/dev/vg0/none", true}};
  view.images = {image};
  view.lost = {folder / "lost"};
  view.targets = {{folder / "target"}};
  view.indexed.resize(1);
  view.indexed[0].path = folder / "indexed";
  resolve(view, host.roots());
  CHECK(view.devices.size() == 3);
  for (const std::string& path : {image,
                                  folder / "b",
                                  folder / "lost",
                                  folder / "target",
                                  folder / "indexed",
                                  std::string("/dev/vg0/none"),
                                  host.node("dm-2"),
                                  host.node("loop3")}) {
    INFO(path);
    CHECK(view.paths.contains(path));
  }
}

TEST_CASE("a lock is seen while it is held, and is not taken", "[donors]") {
  const temp_folder folder;
  CHECK_FALSE(lock_is_held(folder.path(), "a"));
  {
    const auto lock = take_lock(folder.path(), "a");
    REQUIRE(lock);
    CHECK(lock_is_held(folder.path(), "a"));
    CHECK_FALSE(lock_is_held(folder.path(), "b"));
    const auto other = take_lock(folder.path(), "b");
    CHECK(other);
  }
  CHECK_FALSE(lock_is_held(folder.path(), "a"));
}

TEST_CASE("targets are begun disks, and shadows that a session fills",
          "[donors]") {
  const host_folder host;
  disk_book book = host.book();
  CHECK(targets_on(host.options)->empty());
  kept_disk begun = entry_of("xvda");
  begun.partial = "/img/web-xvda";
  REQUIRE(book.write(begun));
  kept_disk shadow = entry_of("xvdb");
  shadow.shadow = disk_place{
      disk_kind::file, "/dev/loop1", "/img/b", "/img/b.teleport-shadow"};
  REQUIRE(book.write(shadow));
  kept_disk other = entry_of("xvdc");
  other.shadow =
      disk_place{disk_kind::other_device, "/dev/sdb", "/dev/sdb", "/dev/sdb"};
  REQUIRE(book.write(other));
  const auto sorted = [&] {
    paths targets = *targets_on(host.options);
    std::sort(targets.begin(), targets.end());
    return targets;
  };
  // At rest a shadow is a donor; under its old name it is not at rest.
  CHECK(sorted() == paths{"/img/b", "/img/web-xvda"});
  const auto session = lock_guest(host.options.run_path, some_uuid);
  REQUIRE(session);
  CHECK(sorted() == paths{"/dev/sdb",
                          "/dev/sdb",
                          "/img/b",
                          "/img/b.teleport-shadow",
                          "/img/web-xvda"});
}

TEST_CASE("images come into the plan and leave it", "[donors]") {
  using time = std::chrono::steady_clock::time_point;
  host_folder host;
  donor_set set(host.options);
  const std::string image = make_image(host.image("a"));
  kept_disk begun = entry_of("xvda");
  begun.partial = make_image(host.image("web-xvda"));
  REQUIRE(host.book().write(begun));

  const auto first = set.look(*host.tables, time());
  REQUIRE(first);
  CHECK(first->hold == std::vector<donor>{{image, "", 0, true}});
  const auto added =
      index::add_disk(*host.tables, image, index::added_by::itself);
  REQUIRE(added);
  CHECK(set.look(*host.tables, time())->hold ==
        std::vector<donor>{{image, "", added->id, true}});

  // The teleport has succeeded: the disk is a guest's.
  REQUIRE(host.book().remove(some_uuid, "xvda"));
  CHECK(set.look(*host.tables, time())->hold.size() == 2);

  // It has left, and its disk is the same under another name.
  const std::string shadow = image + std::string(shadow_suffix);
  fs::rename(image, shadow);
  const auto moved = set.look(*host.tables, time());
  CHECK(moved->rename ==
        std::vector<renamed_donor>{{added->id, image, shadow}});
  CHECK(moved->hold.front() == donor{shadow, "", added->id, true});
  CHECK(moved->drop.empty());
  REQUIRE(host.tables->rename_disk(added->id, shadow));

  fs::remove(shadow);
  CHECK(set.look(*host.tables, time())->drop ==
        std::vector<missing_donor>{{added->id, shadow}});
}

TEST_CASE("what may come back is dropped when it has not for a while",
          "[donors]") {
  using time = std::chrono::steady_clock::time_point;
  host_folder host;
  donor_set set(host.options);
  fs::create_directory(host.folder / "mounted");
  const std::string image = make_image(host.folder / "mounted/a");
  REQUIRE(index::add_disk(*host.tables, image, index::added_by::itself));
  const auto dropped = [&](std::chrono::seconds after) {
    return set.look(*host.tables, time(after))->drop.size();
  };
  fs::rename(host.folder / "mounted", host.folder / "away");
  CHECK(dropped(std::chrono::seconds(0)) == 0);
  CHECK(dropped(gone_for_good - std::chrono::seconds(1)) == 0);
  fs::rename(host.folder / "away", host.folder / "mounted");
  CHECK(dropped(gone_for_good) == 0);
  fs::rename(host.folder / "mounted", host.folder / "away");
  CHECK(dropped(gone_for_good + std::chrono::seconds(1)) == 0);
  CHECK(dropped(2 * gone_for_good) == 0);
  CHECK(dropped(2 * gone_for_good + std::chrono::seconds(1)) == 1);
}

TEST_CASE("guests' disks are added when they shall be", "[donors]") {
  using time = std::chrono::steady_clock::time_point;
  host_folder host;
  const fake_sysfs sysfs;
  const std::string image = make_image(host.folder / "guest.img");
  sysfs.loop("7:3", "loop3", image);
  unsigned asked = 0;
  bool up = true;
  const donor_set::guest_source guests =
      [&]() -> result<std::vector<running_disk>> {
    ++asked;
    return up ? result<std::vector<running_disk>>(
                    std::vector<running_disk>{{1, 7, 3, "", true}})
              : error(errc::system, "no xenstored");
  };
  CHECK(donor_set(host.options, guests, sysfs.roots())
            .look(*host.tables, time())
            ->hold.empty());
  CHECK(asked == 1);  // who has a disk that is listed counts, too
  host.options.index_donors = donor_choice::automatic;
  donor_set set(host.options, guests, sysfs.roots());
  // Its node is not there in the made-up /dev, so it is not to be tracked.
  CHECK(set.look(*host.tables, time())->hold ==
        std::vector<donor>{{image, "", 0, true}});
  REQUIRE(index::add_disk(*host.tables, image, index::added_by::itself));
  index::expect_warnings();
  up = false;
  const auto without = set.look(*host.tables, time());
  REQUIRE(without);
  CHECK(without->hold == std::vector<donor>{{image, "", 1, true}});
  CHECK(without->drop.empty());
}

}  // namespace teleport
