// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/preflight.hpp"

#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/json_fields.hpp"

namespace teleport::evacuation {

namespace {

/// Preflights at once: each opens libxl and one connection.
constexpr std::size_t at_once = 4;

/// A preflight that hangs must not hang the evacuation.
constexpr std::chrono::minutes answer_limit{2};

constexpr std::size_t max_problems = 1024;
constexpr std::size_t max_text = 8192;

problem no_answer(const program_end& end) {
  return {"preflight",
          fmt::format("the preflight gave no report ({}): {}",
                      end.signal != 0
                          ? fmt::format("ended by signal {}", end.signal)
                          : fmt::format("exit code {}", end.code),
                      end.said)};
}

}  // namespace

probe read_probe(const nlohmann::json& report, const program_end& end) {
  probe found;
  json_fields fields(report);
  for (const auto& entry : fields.list("problems", max_problems)) {
    json_fields one(entry);
    problem what;
    what.code = one.raw_text("code", max_text);
    what.sentence = one.raw_text("sentence", max_text);
    found.problems.push_back(std::move(what));
    if (one.failed()) {
      fields.fail(*one.failed());
    }
  }
  found.uuid = fields.text_or_empty("uuid", max_text);
  if (const auto* value = fields.find("room")) {
    json_fields room(*value);
    found.room = host_room{room.number<std::uint64_t>("free_memory_kib"),
                           room.number<std::uint64_t>("needed_memory_kib"),
                           room.number<std::uint64_t>("free_store_bytes"),
                           room.number<std::uint64_t>("needed_store_bytes")};
    if (room.failed()) {
      fields.fail(*room.failed());
    }
  }
  if (fields.failed() || (end.code != 0 && found.problems.empty())) {
    return {{no_answer(end)}, std::nullopt, {}};
  }
  return found;
}

preflight::preflight(event_loop& loop,
                     command line_of,
                     std::function<void(probes)> done)
    : loop_(loop), line_of_(std::move(line_of)), done_(std::move(done)) {}

void preflight::start(std::size_t guests, std::size_t hosts, bool of_the_host) {
  of_the_host_ = of_the_host;
  // Guest by guest: the first finds out which hosts can be reached.
  for (std::size_t guest = 0; guest < guests; ++guest) {
    for (std::size_t host = 0; host < hosts; ++host) {
      waiting_.emplace_back(guest, host);
    }
  }
  go_on();
}

void preflight::stop() {
  waiting_.clear();
  running_.clear();
  done_ = {};
}

void preflight::go_on() {
  while (!waiting_.empty() && running_.size() < at_once) {
    const pair next = waiting_.front();
    waiting_.pop_front();
    if (!lost_hosts_.contains(next.second)) {
      ask(next);
    }
  }
  if (running_.empty() && waiting_.empty() && done_) {
    const auto done = std::exchange(done_, {});
    done(std::move(found_));
  }
}

void preflight::ask(pair which) {
  child_program::events events;
  events.on_line = [this, which](std::string_view line) {
    running_[which].last_line = line;
  };
  events.on_end = [this, which](const program_end& end) {
    answered(which, end);
  };
  auto started = child_program::start(
      loop_, line_of_(which.first, which.second), std::move(events));
  if (!started) {
    found_[which] = {
        {{"preflight", started.error().context}}, std::nullopt, {}};
    return;
  }
  asked& one = running_[which];
  one.child = std::move(*started);
  one.limit = loop_.after(answer_limit, [&one] { one.child->cancel(); });
}

void preflight::answered(pair which, const program_end& end) {
  const auto at = running_.find(which);
  if (at == running_.end()) {
    return;
  }
  const auto report = parse_object(at->second.last_line, max_program_line);
  probe found = read_probe(report ? *report : nlohmann::json(), end);
  for (const problem& what : found.problems) {
    if (of_the_host_ && is_of_the_host(what)) {
      lost_hosts_.insert(which.second);
    }
  }
  found_[which] = std::move(found);
  running_.erase(at);
  go_on();
}

}  // namespace teleport::evacuation
