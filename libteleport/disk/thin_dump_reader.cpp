// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/thin_dump_reader.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <expat.h>

#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

/// As the kernel has it: chunks of 64 KiB to 1 GiB, in steps of 64 KiB.
constexpr std::uint64_t chunk_step = 64_KiB;
constexpr std::uint64_t max_chunk = 1_GiB;

/// expat takes lengths as int.
constexpr std::size_t max_piece = std::size_t{1} << 20U;

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value)
                                                       : std::nullopt;
}

}  // namespace

class thin_dump_reader::state {
 public:
  state(std::uint32_t device, std::uint64_t disk_bytes)
      : device_(device),
        parts_(disk_bytes, extent_bytes),
        parser_(XML_ParserCreate(nullptr), &XML_ParserFree) {
    if (!parser_) {
      fail("no memory for a parser");
      return;
    }
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), &state::opened, &state::closed);
    XML_SetStartDoctypeDeclHandler(parser_.get(), &state::doctype);
  }

  void feed(std::string_view piece, bool last);
  result<dirty_map> finish();

 private:
  /// Name and value in turns, then nullptr.
  using attributes = const XML_Char**;

  static void opened(void* self, const XML_Char* name, attributes given) {
    static_cast<state*>(self)->open(name, given);
  }
  static void closed(void* self, const XML_Char* /*name*/) {
    static_cast<state*>(self)->close();
  }
  // Entities are declared in one, and thin_dump writes none.
  static void doctype(void* self,
                      const XML_Char* /*name*/,
                      const XML_Char* /*system*/,
                      const XML_Char* /*open*/,
                      int /*internal*/) {
    static_cast<state*>(self)->fail("a document type");
  }

  void open(std::string_view name, attributes given);
  void close();
  void fail(const std::string& what);
  /// 0, and a failure, when it is not there or no number.
  std::uint64_t number(attributes given, std::string_view wanted);
  void open_pool(attributes given);
  void open_device(attributes given);
  void take(std::uint64_t first, std::uint64_t count);

  std::uint32_t device_;
  dirty_map parts_;
  std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser_;
  std::string failure_;
  unsigned depth_ = 0;
  bool ours_ = false;  ///< in the volume's own entry
  bool found_ = false;
  std::uint64_t chunk_ = 0;   ///< bytes
  std::uint64_t chunks_ = 0;  ///< that its entry promises
  std::uint64_t seen_ = 0;
};

void thin_dump_reader::state::fail(const std::string& what) {
  if (failure_.empty()) {
    failure_ = what;
    if (parser_) {
      XML_StopParser(parser_.get(), XML_FALSE);
    }
  }
}

std::uint64_t thin_dump_reader::state::number(attributes given,
                                              std::string_view wanted) {
  for (; given[0] != nullptr; given += 2) {
    if (given[0] == wanted) {
      const auto value = number_in(given[1]);
      if (!value) {
        fail(std::string(wanted) + " is " + given[1]);
      }
      return value.value_or(0);
    }
  }
  fail("no " + std::string(wanted));
  return 0;
}

void thin_dump_reader::state::open_pool(attributes given) {
  const std::uint64_t sectors = number(given, "data_block_size");
  chunk_ = sectors <= max_chunk / sector_bytes ? sectors * sector_bytes : 0;
  if (chunk_ == 0 || chunk_ % chunk_step != 0) {
    fail("chunks of " + std::to_string(sectors) + " sectors");
  }
}

void thin_dump_reader::state::open_device(attributes given) {
  ours_ = number(given, "dev_id") == device_;
  if (!ours_) {
    return;
  }
  if (std::exchange(found_, true)) {
    fail("the volume twice");
  }
  chunks_ = number(given, "mapped_blocks");
}

void thin_dump_reader::state::take(std::uint64_t first, std::uint64_t count) {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / chunk_;
  if (count == 0 || first > most || count > most - first) {
    fail(std::to_string(count) + " chunks at " + std::to_string(first));
    return;
  }
  seen_ += count;
  parts_.mark(first * chunk_, count * chunk_);
}

void thin_dump_reader::state::open(std::string_view name, attributes given) {
  ++depth_;
  if (depth_ == 1 && name == "superblock") {
    open_pool(given);
  } else if (depth_ == 2 && name == "device") {
    open_device(given);
  } else if (depth_ == 3 && name == "single_mapping") {
    if (const auto first = number(given, "origin_block");
        ours_ && failure_.empty()) {
      take(first, 1);
    }
  } else if (depth_ == 3 && name == "range_mapping") {
    const auto first = number(given, "origin_begin");
    const auto count = number(given, "length");
    if (ours_ && failure_.empty()) {
      take(first, count);
    }
  } else {
    // A later thin_dump has elements for shared mappings: fail rather than
    // report too little.
    fail("an element " + std::string(name));
  }
}

void thin_dump_reader::state::close() {
  --depth_;
  ours_ = ours_ && depth_ >= 2;
}

void thin_dump_reader::state::feed(std::string_view piece, bool last) {
  do {
    const std::string_view part = piece.substr(0, max_piece);
    piece.remove_prefix(part.size());
    if (failure_.empty() &&
        XML_Parse(parser_.get(),
                  part.data(),
                  static_cast<int>(part.size()),
                  last && piece.empty() ? XML_TRUE : XML_FALSE) ==
            XML_STATUS_ERROR) {
      fail(XML_ErrorString(XML_GetErrorCode(parser_.get())));
    }
  } while (!piece.empty());
}

result<dirty_map> thin_dump_reader::state::finish() {
  feed({}, true);
  if (failure_.empty() && found_ && seen_ != chunks_) {
    failure_ =
        std::to_string(seen_) + " chunks instead of " + std::to_string(chunks_);
  }
  if (!failure_.empty()) {
    return error(errc::corrupt, "what thin_dump wrote has " + failure_);
  }
  if (!found_) {
    return error(
        errc::not_found,
        "volume " + std::to_string(device_) + " is not in its pool's metadata");
  }
  return std::move(parts_);
}

thin_dump_reader::thin_dump_reader(std::uint32_t device,
                                   std::uint64_t disk_bytes)
    : state_(std::make_unique<state>(device, disk_bytes)) {}

thin_dump_reader::~thin_dump_reader() = default;

void thin_dump_reader::feed(std::string_view piece) {
  state_->feed(piece, false);
}

result<dirty_map> thin_dump_reader::finish() {
  return state_->finish();
}

}  // namespace teleport
