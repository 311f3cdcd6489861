// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/log.hpp"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include <unistd.h>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "libteleport/base/line_output.hpp"

namespace teleport {

namespace {

spdlog::level::level_enum spdlog_level(log_level level) {
  switch (level) {
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warning:
      return spdlog::level::warn;
    case log_level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// Standard error; a line that finds no room is dropped.
class error_sink : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    base_sink<std::mutex>::formatter_->format(message, text);
    (void)out_.write({text.data(), text.size()});
  }
  void flush_() override {}

 private:
  line_output out_{STDERR_FILENO};
};

}  // namespace

void log_setup(std::string_view program, log_level threshold) {
  auto sink = std::make_shared<error_sink>();
  auto logger = std::make_shared<spdlog::logger>(std::string(program), sink);
  // Under systemd the journal adds the time.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): called before threads start
  const bool in_journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger->set_pattern(in_journal ? "%n: %l: %v"
                                 : "%Y-%m-%d %H:%M:%S.%e %n: %l: %v");
  logger->set_level(spdlog_level(threshold));
  spdlog::set_default_logger(std::move(logger));
}

void log_debug(std::string_view line) {
  spdlog::debug("{}", line);
}
void log_info(std::string_view line) {
  spdlog::info("{}", line);
}
void log_warning(std::string_view line) {
  spdlog::warn("{}", line);
}
void log_error(std::string_view line) {
  spdlog::error("{}", line);
}

}  // namespace teleport
