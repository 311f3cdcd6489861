// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/extent_source.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/digest.hpp"

namespace teleport::index {

namespace {

/// Extents read at once: large enough for a disk's full speed.
constexpr std::uint64_t stretch_extents = 2;

/// Items waiting for the caller before workers wait: about 1 MiB.
constexpr std::size_t max_ready = 512;

/// Interval at which a waiting thread looks whether to stop.
constexpr std::chrono::milliseconds look_up{100};

/// SHA-256 is fed in pieces that are still in the first-level cache from the
/// block digests.
constexpr std::size_t sha_piece = 16_KiB;

/// Gives this thread's reads the idle priority.
void become_idle() {
  constexpr int who_process = 1;
  constexpr int class_idle = 3 << 13;
  // Not every scheduler knows it; then the rate limit remains.
  static_cast<void>(::syscall(SYS_ioprio_set, who_process, 0, class_idle));
}

unique_fd open_for_holes(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return unique_fd();
  }
  return unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

void hash_extent(byte_span bytes, extent_content& out) {
  out.blocks = {};
  out.count = 0;
  std::optional<sha256_stream> sha;
  for (std::size_t at = 0; at < bytes.size(); at += sha_piece) {
    const byte_span piece =
        bytes.subspan(at, std::min(sha_piece, bytes.size() - at));
    for (std::size_t in = 0; in < piece.size(); in += block_bytes) {
      const byte_span block =
          piece.subspan(in, std::min(block_bytes, piece.size() - in));
      if (!is_zero(block)) {
        const std::size_t number = (at + in) / block_bytes;
        out.blocks.set(number);
        out.digests[out.count++] = digest_block(block);
      }
    }
    if (!sha && out.count != 0) {
      sha.emplace();
      sha->update(bytes.first(at));
    }
    if (sha) {
      sha->update(piece);
    }
  }
  if (sha) {
    out.sha = sha->finish();
  }
}

extent_source::extent_source(block_device& device,
                             const std::string& path,
                             const source_options& options)
    : device_(device),
      options_(options),
      file_(open_for_holes(path)),
      extents_(extents_of(device.size())),
      free_at_(std::chrono::steady_clock::now()) {
  // The loop runs to a constant: the first worker may end, and count working_
  // down, before the last begins.
  const unsigned threads = std::max(1U, options.threads);
  working_ = threads;
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

extent_source::~extent_source() {
  stop_ = true;
  drained_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

bool extent_source::stopped() const {
  return stop_ || (options_.cancel != nullptr && *options_.cancel);
}

void extent_source::work() {
  if (options_.idle_priority) {
    become_idle();
  }
  aligned_buffer buffer(stretch_extents * extent_bytes);
  while (!stopped()) {
    hold();
    const std::optional<stretch> part = claim();
    if (!part) {
      break;
    }
    while (!stopped() && std::chrono::steady_clock::now() < part->not_before) {
      std::this_thread::sleep_until(std::min(
          part->not_before, std::chrono::steady_clock::now() + look_up));
      hold();
    }
    if (!stopped()) {
      read(*part, buffer.span());
    }
  }
  const std::lock_guard lock(mutex_);
  --working_;
  filled_.notify_all();
}

/// One worker waits for the gate, the others for that worker.
void extent_source::hold() {
  if (options_.gate == nullptr) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ++holding_;
    if (paused_) {
      filled_.notify_all();
    }
  }
  {
    const std::lock_guard turn(gate_mutex_);
    while (!stopped() && options_.gate->closed()) {
      set_paused(true);
      options_.gate->wait(look_up);
    }
    set_paused(false);
  }
  const std::lock_guard lock(mutex_);
  --holding_;
}

void extent_source::set_paused(bool now) {
  const std::lock_guard lock(mutex_);
  if (paused_ != now) {
    paused_ = now;
    told_paused_ = false;
    filled_.notify_all();
  }
}

std::optional<extent_source::stretch> extent_source::claim() {
  const std::lock_guard lock(mutex_);
  const bool may_skip = file_ || options_.data != nullptr;
  if (may_skip && next_extent_ >= data_end_) {
    skip_hole();
  }
  if (next_extent_ >= extents_) {
    return std::nullopt;
  }
  const std::uint64_t end = may_skip ? std::min(data_end_, extents_) : extents_;
  stretch part;
  part.first = next_extent_;
  part.count = std::min(stretch_extents, end - next_extent_);
  next_extent_ += part.count;
  part.not_before = free_at_;
  if (options_.bytes_per_second != 0) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> cost(
        static_cast<double>(part.count * extent_bytes) /
        static_cast<double>(options_.bytes_per_second));
    part.not_before = std::max(free_at_, now);
    free_at_ = part.not_before +
               std::chrono::duration_cast<std::chrono::nanoseconds>(cost);
  }
  return part;
}

/// Moves next_extent_ over extents that hold no data; needs mutex_.
void extent_source::skip_hole() {
  if (file_) {
    find_data_in_file();
  } else {
    find_data_in_map();
  }
  const std::uint64_t first = std::clamp(data_first_, next_extent_, extents_);
  data_end_ = std::max(data_end_, first + 1);
  if (first > next_extent_) {
    ready_.push_back({kind::hole, next_extent_, first - next_extent_, nullptr});
    filled_.notify_one();
    next_extent_ = first;
  }
}

void extent_source::find_data_in_file() {
  const off_t at = static_cast<off_t>(next_extent_ * extent_bytes);
  const off_t data = ::lseek(file_.get(), at, SEEK_DATA);
  if (data >= 0) {
    data_first_ = static_cast<std::uint64_t>(data) / extent_bytes;
    const off_t hole = ::lseek(file_.get(), data, SEEK_HOLE);
    data_end_ = hole < 0
                    ? extents_
                    : count_of(static_cast<std::uint64_t>(hole), extent_bytes);
  } else if (errno == ENXIO) {
    data_first_ = extents_;
  } else {
    file_.reset();  // it does not tell: read all of it
    data_first_ = next_extent_;
    data_end_ = extents_;
  }
}

void extent_source::find_data_in_map() {
  data_first_ = options_.data->next_extent(next_extent_).value_or(extents_);
  data_end_ = data_first_;
  while (data_end_ - data_first_ < stretch_extents &&
         options_.data->next_extent(data_end_) == data_end_) {
    ++data_end_;
  }
}

void extent_source::read(const stretch& part, std::span<std::byte> buffer) {
  const std::uint64_t offset = part.first * extent_bytes;
  const std::uint64_t length = std::min<std::uint64_t>(
      part.count * extent_bytes, device_.size() - offset);
  const std::span<std::byte> all =
      buffer.first(static_cast<std::size_t>(length));
  const bool whole = static_cast<bool>(device_.read_at(offset, all));
  for (std::uint64_t i = 0; i < part.count; ++i) {
    const std::size_t at = static_cast<std::size_t>(i) * extent_bytes;
    const std::span<std::byte> bytes =
        all.subspan(at, std::min(extent_bytes, all.size() - at));
    if (!whole) {
      // Reads the extents one by one: a bad sector must not make its neighbours
      // unreadable.
      result<void> again = device_.read_at(offset + at, bytes);
      if (!again) {
        {
          const std::lock_guard lock(mutex_);
          if (failure_.empty()) {
            failure_ = again.error().context;
          }
        }
        push({kind::unreadable, part.first + i, 1, nullptr});
        continue;
      }
    }
    auto content = std::make_unique<extent_content>();
    hash_extent(bytes, *content);
    push({kind::content, part.first + i, 1, std::move(content)});
  }
}

void extent_source::push(item done) {
  std::unique_lock lock(mutex_);
  while (!stopped() && ready_.size() >= max_ready) {
    drained_.wait_for(lock, look_up);
  }
  ready_.push_back(std::move(done));
  filled_.notify_one();
}

std::optional<extent_source::item> extent_source::next() {
  std::unique_lock lock(mutex_);
  while (ready_.empty() && working_ != 0) {
    if (paused_ && holding_ == working_ && !told_paused_ && !stopped()) {
      told_paused_ = true;
      return item{kind::paused, next_extent_, 0, nullptr};
    }
    filled_.wait_for(lock, look_up);
  }
  if (ready_.empty() || stopped()) {
    return std::nullopt;
  }
  item first = std::move(ready_.front());
  ready_.pop_front();
  drained_.notify_one();
  return first;
}

std::string extent_source::first_failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace teleport::index
