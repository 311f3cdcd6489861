// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/log.hpp"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
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

/// Whether standard error is the journal's. A program of ours that was started
/// by another one has a pipe to that, which would read the priorities.
bool is_journal(const char* stream) {
  struct stat out {};
  return stream != nullptr && ::fstat(STDERR_FILENO, &out) == 0 &&
         stream == fmt::format("{}:{}", out.st_dev, out.st_ino);
}

/// The journal's priority of a line, as sd-daemon(3) has it.
std::string_view priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
    case spdlog::level::err:
      return "<3>";
    case spdlog::level::warn:
      return "<4>";
    case spdlog::level::info:
      return "<6>";
    default:
      return "<7>";
  }
}

/// Standard error; a line that finds no room is dropped.
class error_sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit error_sink(bool in_journal) : in_journal_(in_journal) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    if (in_journal_) {
      const auto priority = priority_of(message.level);
      text.append(priority.data(), priority.data() + priority.size());
    }
    spdlog::memory_buf_t line;
    base_sink<std::mutex>::formatter_->format(message, line);
    text.append(line.data(), line.data() + line.size());
    (void)out_.write({text.data(), text.size()});
  }
  void flush_() override {}

 private:
  bool in_journal_;
  line_output out_{STDERR_FILENO};
};

}  // namespace

void log_setup(std::string_view program, log_level threshold) {
  // Under systemd the journal adds the time.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): called before threads start
  const char* const stream = std::getenv("JOURNAL_STREAM");
  const bool in_journal = stream != nullptr;
  auto sink = std::make_shared<error_sink>(is_journal(stream));
  auto logger = std::make_shared<spdlog::logger>(std::string(program), sink);
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
