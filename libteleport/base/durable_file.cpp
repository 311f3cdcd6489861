// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/durable_file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"

namespace teleport {

namespace {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

result<void> write_all(int fd,
                       std::string_view content,
                       const std::string& to) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return system_error(errno, "write to " + to);
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// A new file: what a crash has left beside may be open to others.
unique_fd create_beside(const std::string& path, mode_t mode) {
  constexpr int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  unique_fd fd(::open(path.c_str(), how, mode));
  if (!fd && errno == EEXIST && ::unlink(path.c_str()) == 0) {
    fd.reset(::open(path.c_str(), how, mode));
  }
  return fd;
}

result<void> give_to(int fd, const struct stat& owner, const std::string& to) {
  mode_t mode = owner.st_mode & 0777U;
  if (::fchown(fd, owner.st_uid, owner.st_gid) != 0) {
    mode &= S_IRWXU;  // its group's rights would be another group's
  }
  return ::fchmod(fd, mode) == 0 ? result<void>()
                                 : system_error(errno, "chmod of " + to);
}

/// What a new file is to be.
struct new_file {
  mode_t mode{};
  /// Whose mode and owner it has instead.
  std::optional<struct stat> kept = {};
  bool durable = true;
};

result<void> fill(const std::string& path,
                  std::string_view content,
                  const new_file& how) {
  const unique_fd fd =
      create_beside(path, how.kept ? mode_t{S_IRUSR | S_IWUSR} : how.mode);
  if (!fd) {
    return system_error(errno, "create " + path);
  }
  auto written = write_all(fd.get(), content, path);
  if (written && how.kept) {
    written = give_to(fd.get(), *how.kept, path);
  }
  if (written && how.durable && ::fsync(fd.get()) != 0) {
    written = system_error(errno, "fsync of " + path);
  }
  return written;
}

result<void> put_in_place(const std::string& path,
                          std::string_view content,
                          const new_file& how) {
  const std::string beside = path + ".new";
  auto done = fill(beside, content, how);
  if (done && std::rename(beside.c_str(), path.c_str()) != 0) {
    done = system_error(errno, "rename to " + path);
  }
  if (!done) {
    (void)::unlink(beside.c_str());
    return done;
  }
  return how.durable ? sync_folder(folder_of(path)) : done;
}

}  // namespace

result<void> write_durably(const std::string& path,
                           std::string_view content,
                           mode_t mode) {
  return put_in_place(path, content, {mode});
}

result<void> replace_file(const std::string& path,
                          std::string_view content,
                          mode_t mode) {
  return put_in_place(path, content, {mode, std::nullopt, false});
}

result<void> rewrite_durably(const std::string& path,
                             std::string_view content,
                             mode_t mode) {
  std::error_code failure;
  std::filesystem::path file = path;
  if (std::filesystem::is_symlink(
          std::filesystem::symlink_status(file, failure))) {
    file = std::filesystem::canonical(file, failure);
    if (failure) {
      return system_error(failure.value(), "follow the link " + path);
    }
  }
  struct stat about {};
  const bool there =
      ::lstat(file.c_str(), &about) == 0 && S_ISREG(about.st_mode);
  return put_in_place(
      file, content, {mode, there ? std::optional(about) : std::nullopt});
}

result<void> remove_durably(const std::string& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) {
      return {};
    }
    return system_error(errno, "remove " + path);
  }
  return sync_folder(folder_of(path));
}

result<void> rename_durably(const std::string& from, const std::string& to) {
  int r = ::renameat2(
      AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  if (r != 0 && errno == EINVAL) {
    // A filesystem that cannot refuse: a hard link can.
    r = ::link(from.c_str(), to.c_str());
    if (r == 0) {
      r = ::unlink(from.c_str());
    }
  }
  if (r != 0) {
    return errno == EEXIST
               ? error(errc::busy, to + " exists already")
               : system_error(errno, "rename " + from + " to " + to);
  }
  auto synced = sync_folder(folder_of(to));
  if (synced && folder_of(from) != folder_of(to)) {
    synced = sync_folder(folder_of(from));
  }
  return synced;
}

result<void> sync_folder(const std::string& folder) {
  const unique_fd fd(
      ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return system_error(errno, "fsync of folder " + folder);
  }
  return {};
}

result<std::string> read_small_file(const std::string& path,
                                    std::size_t limit) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return system_error(errno, "open " + path);
  }
  std::string text(limit + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(fd.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return system_error(errno, "read " + path);
    }
    if (n == 0) {
      break;
    }
    size += static_cast<std::size_t>(n);
  }
  if (size > limit) {
    return error(errc::corrupt, path + " is longer than it may be");
  }
  text.resize(size);
  return text;
}

result<void> make_folders(const std::string& path) {
  constexpr mode_t parents_mode = 0777;  // less the umask, as mkdir -p does
  const std::filesystem::path whole(path);
  std::filesystem::path parent;
  int refusal = ENOENT;
  for (const auto& part : whole) {
    const std::filesystem::path folder = parent / part;
    const mode_t mode = folder == whole ? mode_t{S_IRWXU} : parents_mode;
    if (!part.empty() && ::mkdir(folder.c_str(), mode) == 0) {
      if (const auto synced = sync_folder(folder_of(folder)); !synced) {
        return synced;
      }
    } else if (!part.empty() && errno != EEXIST) {
      refusal = errno;
    }
    parent = folder;
  }
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    // That it is not there is no reason.
    return system_error(errno == ENOENT ? refusal : errno,
                        "make folder " + path);
  }
  if (!S_ISDIR(about.st_mode)) {
    return system_error(ENOTDIR, "make folder " + path);
  }
  if (::chmod(path.c_str(), S_IRWXU) != 0) {
    return system_error(errno, "chmod of folder " + path);
  }
  return {};
}

}  // namespace teleport
