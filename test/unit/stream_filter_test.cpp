// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/stream/stream_filter.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "test/support/catch.hpp"
#include "test/support/stream_maker.hpp"

namespace teleport {

namespace {

using test::guest_kind;
using test::stream_shape;

// A small stream: for tests that go over each of its bytes.
constexpr stream_shape small{.kind = guest_kind::hvm,
                             .rounds = 2,
                             .pages = 6,
                             .batch = 4,
                             .random_percent = 0,
                             .zero_percent = 40};

// Feeds `stream` in pieces of sizes that `next_size` gives.
template <class F>
std::vector<coded_piece> code(stream_filter& filter,
                              byte_span stream,
                              F&& next_size) {
  std::vector<coded_piece> all;
  while (!stream.empty()) {
    const std::size_t n = std::min<std::size_t>(next_size(), stream.size());
    auto pieces = filter.feed(stream.first(n));
    REQUIRE(pieces.has_value());
    std::move(pieces->begin(), pieces->end(), std::back_inserter(all));
    stream = stream.subspan(n);
    REQUIRE(filter.ended() == stream.empty());
  }
  return all;
}

std::vector<coded_piece> code_whole(byte_span stream) {
  stream_filter filter;
  return code(filter, stream, [&] { return stream.size(); });
}

// What the destination makes of the pieces.
struct rebuilt {
  byte_buffer bytes;
  bool complete = false;
  std::optional<error> failure;
};

rebuilt rebuild(const std::vector<coded_piece>& pieces) {
  rebuilt out;
  stream_rebuild side;
  for (const coded_piece& piece : pieces) {
    const auto bytes = side.accept(piece);
    if (!bytes) {
      out.failure = bytes.error();
      break;
    }
    out.bytes.insert(out.bytes.end(), bytes->begin(), bytes->end());
  }
  out.complete = side.complete();
  return out;
}

// True when it is the whole stream but for END, and proven.
bool is_same(const rebuilt& made, byte_span stream) {
  const byte_span wanted = stream.first(stream.size() - 8);
  return made.complete && !made.failure &&
         std::equal(made.bytes.begin(),
                    made.bytes.end(),
                    wanted.begin(),
                    wanted.end());
}

}  // namespace

TEST_CASE("a stream comes back byte for byte, whatever its pieces",
          "[stream]") {
  for (const auto kind : {guest_kind::pv, guest_kind::pvh, guest_kind::hvm}) {
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
      const stream_shape shape{.kind = kind,
                               .seed = seed,
                               .batch = 1 + seed * 5,
                               .random_percent = seed * 12,
                               .context_bytes = 1000 * seed + seed};
      const byte_buffer stream = test::make_stream(shape);
      INFO("seed " << seed << ", " << stream.size() << " bytes");
      CHECK(is_same(rebuild(code_whole(stream)), stream));
      std::mt19937 random(seed);
      stream_filter filter;
      const auto pieces =
          code(filter, stream, [&] { return 1 + random() % (1U << seed * 2); });
      CHECK(is_same(rebuild(pieces), stream));
    }
  }
}

TEST_CASE("a stream fed byte by byte ends with its last byte", "[stream]") {
  for (const auto kind : {guest_kind::pv, guest_kind::pvh, guest_kind::hvm}) {
    stream_shape shape = small;
    shape.kind = kind;
    const byte_buffer stream = test::make_stream(shape);
    stream_filter filter;
    // code() checks after each byte that the end is seen at the end alone:
    // every truncation.
    const auto pieces = code(filter, stream, [] { return 1U; });
    CHECK(is_same(rebuild(pieces), stream));
  }
}

TEST_CASE("a stream cut short never counts as complete", "[stream]") {
  const byte_buffer stream = test::make_stream(small);
  auto pieces = code_whole(stream);
  while (!pieces.empty()) {
    coded_piece last = pieces.back();
    pieces.pop_back();
    CHECK_FALSE(rebuild(pieces).complete);
    // A body cut at each place, too.
    while (!last.body.empty()) {
      last.body.pop_back();
      pieces.push_back(last);
      REQUIRE_FALSE(rebuild(pieces).complete);
      pieces.pop_back();
    }
  }
}

TEST_CASE("no piece may be lost, doubled or swapped", "[stream]") {
  const auto pieces = code_whole(test::make_stream(small));
  REQUIRE(pieces.size() > 4);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto lost = pieces;
    lost.erase(lost.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(rebuild(lost).complete);
    auto doubled = pieces;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), pieces[i]);
    CHECK_FALSE(rebuild(doubled).complete);
    for (std::size_t j = 0; j < i; ++j) {
      auto swapped = pieces;
      std::swap(swapped[i], swapped[j]);
      if (pieces[i].body != pieces[j].body) {
        CHECK_FALSE(rebuild(swapped).complete);
      }
    }
  }
}

TEST_CASE("no damaged byte yields another stream", "[stream]") {
  // Pages packed by zstd, then as they stand; shown wrong, each bit pattern.
  for (const unsigned random_percent : {0U, 100U}) {
    stream_shape shape = small;
    shape.rounds = 1;
    shape.random_percent = random_percent;
    const byte_buffer stream = test::make_stream(shape);
    const auto pieces = code_whole(stream);
    std::size_t refused = 0;
    std::size_t total = 0;
    for (std::size_t p = 0; p < pieces.size(); ++p) {
      for (std::size_t i = 0; i < pieces[p].body.size(); ++i) {
        for (const unsigned flip : {1U, 0x80U, 0xffU}) {
          auto bad = pieces;
          bad[p].body[i] ^= static_cast<std::byte>(flip);
          const rebuilt made = rebuild(bad);
          // A few bits of a zstd frame mean nothing: the stream is right.
          REQUIRE((!made.complete || is_same(made, stream)));
          ++total;
          refused += made.failure ? 1U : 0U;
        }
      }
      for (unsigned kind = 0; kind < 256; ++kind) {
        auto bad = pieces;
        bad[p].type = static_cast<coded_piece::kind>(kind);
        REQUIRE(rebuild(bad).complete == (bad[p].type == pieces[p].type));
      }
    }
    CHECK(refused > total - 20);
  }
}

TEST_CASE("END inside a raw piece is refused and never let out", "[stream]") {
  const byte_buffer stream = test::make_stream(
      {.kind = guest_kind::hvm, .rounds = 1, .pages = 2, .zero_percent = 100});
  // A source that is broken or worse sends everything raw, END included.
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{7}, stream.size()}) {
    stream_rebuild side;
    std::size_t out = 0;
    bool failed = false;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      const byte_span part =
          byte_span(stream).subspan(at, std::min(step, stream.size() - at));
      const auto bytes =
          side.accept({coded_piece::kind::raw, {part.begin(), part.end()}});
      failed = failed || !bytes;
      out += bytes ? bytes->size() : 0;
    }
    CHECK(failed);
    CHECK(out < stream.size());
    CHECK_FALSE(side.complete());
  }
}

TEST_CASE("an end inside a record is refused, however well proven",
          "[stream]") {
  const byte_buffer stream = test::make_stream(small);
  const auto pieces = code_whole(stream);
  REQUIRE(pieces.size() > 3);
  std::size_t refused = 0;
  // Every raw piece cut at each place, then an end that is right in its length
  // and SHA-256.
  for (std::size_t p = 0; p + 1 < pieces.size(); ++p) {
    for (std::size_t n = 1; n <= pieces[p].body.size(); ++n) {
      if (pieces[p].type != coded_piece::kind::raw) {
        continue;
      }
      stream_rebuild side;
      sha256_stream hash;
      for (std::size_t i = 0; i <= p; ++i) {
        coded_piece piece = pieces[i];
        piece.body.resize(i < p ? piece.body.size() : n);
        const auto bytes = side.accept(std::move(piece));
        REQUIRE(bytes.has_value());
        hash.update(*bytes);
      }
      hash.update(xen_stream::end_record);
      byte_writer body;
      body.number(side.bytes_out() + xen_stream::end_record.size());
      body.bytes(hash.finish());
      const auto end =
          side.accept({coded_piece::kind::end, std::move(body).take()});
      REQUIRE(end.has_value() == side.complete());
      refused += end ? 0U : 1U;
      // Only between libxl's records may the stream end: after the libxc part,
      // after EMULATOR_XENSTORE_DATA, and where it does.
      if (end) {
        CHECK(p + 2 == pieces.size());
      }
    }
  }
  std::size_t raw = 0;
  for (const coded_piece& piece : pieces) {
    raw += piece.type == coded_piece::kind::raw ? piece.body.size() : 0;
  }
  CHECK(raw - refused == 3);
}

TEST_CASE("after an error a side takes nothing more", "[stream]") {
  const byte_buffer stream = test::make_stream(small);
  const auto pieces = code_whole(stream);
  stream_rebuild side;
  REQUIRE(side.accept(pieces[0]).has_value());
  REQUIRE_FALSE(side.accept({coded_piece::kind::raw, {}}).has_value());
  CHECK_FALSE(side.accept(pieces[1]).has_value());
  stream_filter filter;
  REQUIRE_FALSE(filter.feed(as_bytes("not a stream at all")).has_value());
  CHECK_FALSE(filter.feed(stream).has_value());
}

TEST_CASE("bytes after the stream's END are refused", "[stream]") {
  byte_buffer stream = test::make_stream(small);
  stream_filter later;
  REQUIRE(later.feed(stream).has_value());
  REQUIRE(later.ended());
  CHECK_FALSE(later.feed(as_bytes("x")).has_value());
  CHECK_FALSE(later.ended());
  stream.push_back(std::byte{0});
  stream_filter at_once;
  CHECK_FALSE(at_once.feed(stream).has_value());
  CHECK_FALSE(at_once.ended());
  auto pieces = code_whole(byte_span(stream).first(stream.size() - 1));
  pieces.push_back({coded_piece::kind::raw, byte_buffer(1)});
  CHECK_FALSE(rebuild(pieces).complete);
}

TEST_CASE("raw pieces are merged, and bounded", "[stream]") {
  const byte_buffer stream = test::make_stream(
      {.kind = guest_kind::hvm, .context_bytes = 3 * raw_piece_bytes});
  std::size_t raw = 0;
  for (const coded_piece& piece : code_whole(stream)) {
    raw += piece.type == coded_piece::kind::raw ? 1U : 0U;
    CHECK(piece.body.size() <= raw_piece_bytes);
  }
  CHECK(raw < 12);
  CHECK_FALSE(
      stream_rebuild()
          .accept({coded_piece::kind::raw, byte_buffer(max_raw_piece + 1)})
          .has_value());
}

TEST_CASE("a pages piece longer than any can be is refused", "[stream]") {
  const auto bytes = stream_rebuild().accept(
      {coded_piece::kind::pages, byte_buffer(max_piece_bytes + 1)});
  REQUIRE_FALSE(bytes.has_value());
  CHECK(bytes.error().context.find("above") != std::string::npos);
}

TEST_CASE("the filter counts what it does", "[stream]") {
  const byte_buffer stream = test::make_stream({.rounds = 1,
                                                .pages = 100,
                                                .batch = 50,
                                                .random_percent = 0,
                                                .zero_percent = 100});
  stream_filter filter;
  std::size_t out = 0;
  for (const coded_piece& piece :
       code(filter, stream, [&] { return stream.size(); })) {
    out += piece.body.size();
  }
  const stream_statistics& counts = filter.statistics();
  CHECK(counts.bytes_in == stream.size());
  CHECK(counts.bytes_out == out);
  CHECK(counts.page_records == 2);
  CHECK(counts.pages == 92);
  CHECK(counts.zero_pages == 92);
  CHECK(out < 600);
}

TEST_CASE("largest records pass, larger ones pass uncoded", "[stream]") {
  for (const unsigned batch : {1024U, 1025U}) {
    const stream_shape shape{.rounds = 1,
                             .pages = 1100,
                             .batch = batch,
                             .random_percent = 100,
                             .zero_percent = 0};
    const byte_buffer stream = test::make_stream(shape);
    const auto pieces = code_whole(stream);
    for (const coded_piece& piece : pieces) {
      CHECK(piece.body.size() <= max_piece_bytes);
    }
    CHECK(is_same(rebuild(pieces), stream));
  }
}

// Written by `make golden`; of a released coding never again.
TEST_CASE("streams of released codings still decode", "[stream][golden]") {
  INFO("run from the top of the tree");
  std::size_t streams = 0;
  for (const auto& found :
       std::filesystem::directory_iterator("test/golden/stream")) {
    if (found.path().extension() != ".libxl") {
      continue;
    }
    ++streams;
    const auto read = [&](std::string_view ending) {
      auto path = found.path();
      path.replace_extension(ending);
      std::ifstream file(path, std::ios::binary);
      INFO(path);
      REQUIRE(file.good());
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      const byte_span bytes = as_bytes(text);
      return byte_buffer(bytes.begin(), bytes.end());
    };
    CHECK(is_same(rebuild(test::split_pieces(read(".coded"))), read(".libxl")));
  }
  CHECK(streams >= 3);
}

}  // namespace teleport
