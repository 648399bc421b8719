// tools/cli/command.hpp: what the subcommands share.
#pragma once

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tool {

/// The options that every subcommand takes.
struct Common {
  bool json = false;
  std::size_t threads = 1;
};

/// What a subcommand has to say: `json` with --json, else `text`, on standard output.
struct Answer {
  nlohmann::ordered_json json;
  std::string text;
  int exit_status = 0;
};

/// Before the work that makes the output: a file can be written there, and it would not take the place of one of the
/// inputs, by whatever name it goes.
void require_output(const std::filesystem::path& out, const std::vector<std::string>& inputs = {});

/// Before the work: OpenMP ends the program where it cannot start a thread. With stacks of the default size.
void require_threads(std::size_t threads, const std::string& where);

/// A name says what is written: another ending than these is refused.
void refuse_other_endings(const std::filesystem::path& out, const std::vector<std::string>& endings);

/// Decimal digits and nothing else, behind a sign at most: to the library "010" is 8, and so is " 0x8".
inline const CLI::Validator decimal(
    [](std::string& text) -> std::string {
      const std::size_t sign = text[0] == '-' || text[0] == '+' ? 1 : 0;
      const bool digits = text.size() > sign && text.find_first_not_of("0123456789", sign) == text.npos;
      if (digits && (text[sign] != '0' || text.size() == sign + 1)) return {};
      return text + " is no whole number in decimal digits, without a 0 in front";
    },
    "");  // the range behind it says what it is

/// For options of unsigned type, of which -1 would be a very large number, and 2^64 the largest.
inline const CLI::Validator whole_number(
    [](std::string& text) -> std::string {
      if (text[0] == '-') return text + " is below 0";
      if (const std::string complaint = decimal(text); !complaint.empty()) return complaint;
      errno = 0;
      static_cast<void>(std::strtoull(text.c_str(), nullptr, 10));
      return errno == ERANGE ? text + " is above 2^64 - 1" : std::string();
    },
    "UINT");

/// A number for which `holds`, which is false for NaN. That there is none at all is told of every option (main.cpp).
inline CLI::Validator number_that(bool (*holds)(double), const char* complaint, const char* type) {
  return {[=](std::string& text) {
            double value = 0;
            if (text.empty() || (CLI::detail::lexical_cast(text, value) && holds(value))) return std::string();
            return text + complaint;
          },
          type};
}
inline const CLI::Validator from_zero =
    number_that([](double x) { return x >= 0; }, " is no number from 0 on", "NONNEGATIVE");
inline const CLI::Validator above_zero =
    number_that([](double x) { return x > 0 && x <= 1e300; }, " is no number above 0", "POSITIVE");
/// In front of a range, which takes NaN for a number inside.
inline const CLI::Validator real_number = number_that([](double x) { return x == x; }, " is no number", "FLOAT");

/// A name that was given and is empty is a mistake, such as a variable that is not set.
inline CLI::Validator name_that_is_not(const char* complaint) {
  return {[=](std::string& text) { return text.empty() ? std::string(complaint) : std::string(); }, ""};
}
inline const CLI::Validator some_name = name_that_is_not("an empty file name");
inline const CLI::Validator group_name =
    name_that_is_not("an empty name of a group; without one the root of the file is read");

/// Adds its subcommand to `app`; `run` is set when that subcommand was chosen, and does the work.
using Run = std::function<Answer(const Common&)>;
void add_convert(CLI::App& app, Run& run);
void add_inspect(CLI::App& app, Run& run);
void add_infer(CLI::App& app, Run& run);
void add_check(CLI::App& app, Run& run);
void add_train(CLI::App& app, Run& run);
void add_stream(CLI::App& app, Run& run);
void add_evaluate(CLI::App& app, Run& run);
void add_fit_readout(CLI::App& app, Run& run);
void add_simulate(CLI::App& app, Run& run);

}  // namespace tool
