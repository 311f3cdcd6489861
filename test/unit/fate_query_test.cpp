// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/fate_query_test.cpp: a source asks, over TLS on loopback, a
// destination that answers as the test has it.

#include "xl-teleport/source/fate_query.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libteleport/session/greeting.hpp"
#include "test/support/catch.hpp"
#include "test/support/two_ends.hpp"

namespace teleport {

namespace {

constexpr const char* id = "0123456789abcdef0123456789abcdef";
constexpr const char* uuid = "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11";

/// Answers each question by the next of its answers, and the last of them from
/// then on.
class asked_host {
 public:
  using answer = std::function<void(connection&)>;

  asked_host() { accept_next(); }
  asked_host(const asked_host&) = delete;
  asked_host& operator=(const asked_host&) = delete;
  asked_host(asked_host&&) = delete;
  asked_host& operator=(asked_host&&) = delete;
  ~asked_host() {
    listening_.close();
    loop_.join();
  }

  /// What the source comes to; `heard` is what it heard last.
  std::optional<destination_fate> ask(
      std::vector<answer> answers,
      std::string key = "",
      std::chrono::seconds limit = std::chrono::seconds(60)) {
    answers_ = std::move(answers);
    std::optional<destination_fate> outcome;
    fate_query query(loop_,
                     {hosts_.source,
                      "127.0.0.1",
                      listening_.port(),
                      std::move(key),
                      {id, uuid}},
                     limit,
                     [&](std::optional<destination_fate> fate) {
                       outcome = fate;
                       loop_.stop();
                     });
    query.ask();
    loop_.run();
    heard = query.heard();
    return outcome;
  }
  [[nodiscard]] std::string own_key() const {
    const auto pem = read_small_file(hosts_.destination.certificate, 64_KiB);
    REQUIRE(pem);
    const auto key = fingerprint_of(*pem);
    REQUIRE(key);
    return *key;
  }

  std::vector<teleport_query> questions;
  std::string heard;

 private:
  void accept_next() {
    loop_.work([this] { return listening_.accept().release(); },
               [this](int socket) {
                 if (socket < 0) {
                   return;
                 }
                 connection::accept(
                     loop_,
                     {hosts_.destination, {}},
                     unique_fd(socket),
                     [this](result<std::shared_ptr<connection>> link) {
                       if (link) {
                         hear(*link);
                       }
                     });
                 accept_next();
               });
  }
  void hear(const std::shared_ptr<connection>& link) {
    links_.push_back(link);
    link->start(
        {.on_record = [this, link = link.get()](const raw_record& record) {
          if (record.type != record_type::query) {
            return;
          }
          const auto question = read_query(record.body);
          REQUIRE(question);
          const std::size_t number =
              std::min(questions.size(), answers_.size() - 1);
          questions.push_back(*question);
          link->send(record_type::hello, own_hello());
          answers_[number](*link);
        }});
  }

  paired_hosts hosts_;
  event_loop loop_{1};
  listening_socket listening_;
  std::vector<answer> answers_;
  std::vector<std::shared_ptr<connection>> links_;
};

asked_host::answer says(destination_fate fate) {
  return [fate](connection& link) {
    link.send(record_type::query_result, encode(fate));
  };
}

void refuses(connection& link) {
  link.send(record_type::fail,
            encode(failure_note{"protocol", "QUERY: not 32 digits"}));
}

}  // namespace

TEST_CASE("a release that refuses the guest's uuid is asked without it",
          "[query]") {
  asked_host host;
  CHECK(host.ask({refuses, says(destination_fate::running)}) ==
        destination_fate::running);
  REQUIRE(host.questions.size() == 2);
  CHECK(host.questions[0].uuid == uuid);
  CHECK(host.questions[1].uuid == "");
  CHECK(host.questions[1].id == id);
}

TEST_CASE("none is believed but the host that got GO", "[query]") {
  asked_host host;
  const std::string other(64, 'a');
  CHECK(host.ask({says(destination_fate::abandoned)},
                 other,
                 std::chrono::seconds(0)) == std::nullopt);
  CHECK(host.questions.empty());
  CHECK(host.heard.find("another host") != std::string::npos);
  CHECK(host.ask({says(destination_fate::abandoned)}, host.own_key()) ==
        destination_fate::abandoned);
}

TEST_CASE("a guest that is paused there, or being started, is asked for again",
          "[query]") {
  asked_host host;
  const auto first =
      GENERATE(destination_fate::paused, destination_fate::in_progress);
  CHECK(host.ask({says(first), says(destination_fate::abandoned)}) ==
        destination_fate::abandoned);
  CHECK(host.questions.size() == 2);
}

TEST_CASE("what was heard last is told when there is no answer", "[query]") {
  asked_host host;
  CHECK(host.ask({says(destination_fate::paused)},
                 "",
                 std::chrono::seconds(0)) == std::nullopt);
  CHECK(host.heard.find("paused") != std::string::npos);
}

}  // namespace teleport
