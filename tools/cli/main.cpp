// The command line: one subcommand a file. Standard output carries the answer, standard error everything else.
#include <fcntl.h>
#include <omp.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <latch>
#include <new>
#include <thread>
#include <vector>

#include "../io/output_file.hpp"
#include "../io/refused.hpp"
#include "command.hpp"

namespace {

constexpr int bad_input = 2;

/// One line, whatever a file name or a message has in it.
int report(std::string message, int status) {
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  std::fprintf(stderr, "ndt: error: %s\n", message.c_str());
  return status;
}

/// Help of a subcommand also has the options that it takes from `ndt` itself.
class Help : public CLI::Formatter {
 public:
  /// What stands behind the options, which cannot be overridden themselves.
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override {
    const std::string text = Formatter::make_subcommands(app, mode);
    const CLI::App* top = app;
    while (top->get_parent() != nullptr) top = top->get_parent();
    if (top == app || mode == CLI::AppFormatMode::Sub) return text;
    const auto shared = [&](const CLI::Option* o) { return o != top->get_help_ptr() && o != top->get_version_ptr(); };
    return make_group("Options of every subcommand", false, top->get_options(shared)) + text;
  }
};

/// What takes less memory, of the subcommand that was chosen.
std::string less_memory(const CLI::App& app) {
  const CLI::App& command = *app.get_subcommands().front();
  if (command.get_option_no_throw("--chop") != nullptr) return "a smaller input or --chop";
  if (command.get_name() == "train") return "a smaller model, batch or input";
  return command.get_name() == "simulate" ? "fewer conditions, repeats, bins or neurons" : "a smaller input";
}

/// What stands on the line without a name in front of it is a file, or several. Whatever an option takes, an empty text
/// is none of it, but would be read as 0 or as if the option were not there.
void refuse_empty_values(CLI::App& command) {
  static const CLI::Validator some_value = tool::name_that_is_not("an empty value");
  for (CLI::Option* const option : command.get_options()) {
    const bool is_flag = option->get_expected_max() == 0;
    if (!is_flag) option->check(option->get_positional() ? tool::some_name : some_value);
  }
  for (CLI::App* const under : command.get_subcommands({})) refuse_empty_values(*under);
}

/// A file that is opened where a standard stream is missing would take its number, and what the stream is told. The
/// wrong way round, so that a stream that is missing still fails where it is used.
void keep_standard_streams_apart() {
  for (const int stream : {0, 1, 2}) {
    if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    static_cast<void>(open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY));  // takes the lowest number that is free
  }
}

int run(int argc, char** argv) {
  CLI::App app("Neural Data Transformer: firing rates from spike counts", "ndt");
  app.require_subcommand(1);
  app.set_version_flag("--version", "ndt 0.1.0");
  app.formatter(std::make_shared<Help>());  // before the subcommands, which inherit it
  app.fallthrough();                        // --json and --threads may stand behind the subcommand
  tool::Common common;
  app.add_flag("--json", common.json, "standard output is one JSON object");
  app.add_option("--threads", common.threads, "threads to use")
      ->check(tool::decimal)
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  tool::Run chosen;
  tool::add_convert(app, chosen);
  tool::add_inspect(app, chosen);
  tool::add_infer(app, chosen);
  tool::add_stream(app, chosen);
  tool::add_check(app, chosen);
  tool::add_evaluate(app, chosen);
  tool::add_fit_readout(app, chosen);
  tool::add_simulate(app, chosen);
  tool::add_train(app, chosen);
  refuse_empty_values(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help and version
    const auto words = app.remaining();
    const bool unknown = app.get_subcommands().empty() && !words.empty();
    return report((unknown ? "no such subcommand: " + words.front() : std::string(error.what())) +
                      ", command line, see ndt --help",
                  bad_input);
  }
  tool::Answer answer;
  try {
    tool::require_threads(common.threads, "--threads");
    answer = chosen(common);
  } catch (const std::bad_alloc&) {
    return report("not enough memory, this machine, " + less_memory(app), 1);
  }
  // File names may be any bytes; JSON is UTF-8.
  const auto dump = [&] { return answer.json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace); };
  const std::string text = common.json ? dump() + "\n" : answer.text;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return report("cannot write the answer, standard output, a stream that can be written to", 1);
  }
  return answer.exit_status;
}

}  // namespace

void tool::require_threads(std::size_t threads, const std::string& where) {
  std::latch all_tried(1);
  std::vector<std::thread> others;
  others.reserve(threads);
  std::size_t started = 1;  // this one
  try {
    for (; started < threads; ++started) others.emplace_back([&] { all_tried.wait(); });
  } catch (const std::exception&) {
  }
  all_tried.count_down();
  for (std::thread& other : others) other.join();
  if (started < threads) {
    throw Refused("the system starts no more than " + counted(started, "thread") + " now", where,
                  "fewer than " + std::to_string(threads));
  }
}

void tool::require_output(const std::filesystem::path& out, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code ignored;
    if (std::filesystem::equivalent(out, input, ignored)) {
      throw Refused("the output would overwrite an input", out.string(), "another name for the output");
    }
  }
  const OutputFile can_be_written(out);  // and is gone again
}

void tool::refuse_other_endings(const std::filesystem::path& out, const std::vector<std::string>& endings) {
  std::string text;
  for (const std::string& ending : endings) {
    if (out.extension() == ending) return;
    text += (text.empty() ? "" : " or ") + ending;
  }
  throw Refused("cannot write this kind of file", out.string(), "a name that ends in " + text);
}

int main(int argc, char** argv) {
  keep_standard_streams_apart();
  // A file that grows beyond a limit is an error of a write, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const tool::Refused& refused) {
    return report(refused.what(), bad_input);
  } catch (const std::exception& error) {
    return report(std::string(error.what()) + ", unexpected, please report it", 1);
  }
}
