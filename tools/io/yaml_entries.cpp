// tools/io/yaml_entries.cpp
#include "yaml_entries.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <sstream>

#include "bytes.hpp"
#include "input_file.hpp"
#include "isolated.hpp"
#include "refused.hpp"

namespace tool {

namespace {

constexpr std::size_t largest_text = std::size_t{1} << 18;
constexpr std::size_t deepest = 4;
constexpr std::size_t most_entries = 1000;
constexpr Limits limits{.memory = std::uint64_t{256} << 20, .processor_seconds = 5, .wall_seconds = 20};

// Frames of the child: a value, or why there is none. Both begin with the line as text and a newline.
constexpr char value_tag = 'V', refusal_tag = 'R', end_tag = 'E';

/// Thrown inside the child alone.
struct Stop {
  int line;
  std::string what, right;
};

/// Sends every value of a document as it comes.
class Walker : public YAML::EventHandler {
 public:
  explicit Walker(Sender& sender) : sender_(sender) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(mark, "a second document begins", "one document is expected");
  }
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { stop(mark, "*NAME repeats an anchor", plain); }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    stop(mark, "a list stands where a value should", plain);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_extras(mark, tag, anchor);
    if (!path_.empty() && path_.back().empty()) stop(mark, "a section stands where a key should", plain);
    if (path_.size() >= deepest) stop(mark, "sections are nested too deep", "4 levels are enough");
    path_.emplace_back();
  }
  void OnMapEnd() override {
    path_.pop_back();
    if (!path_.empty()) path_.back().clear();
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_extras(mark, "?", anchor);
    if (path_.empty()) return;  // a text of comments
    if (path_.back().empty()) stop(mark, "a key is empty", "a name is expected");
    stop(mark, "key " + printable(key()) + " has no value", "a value or an indented section is expected");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_extras(mark, tag, anchor);
    if (path_.empty()) stop(mark, "this is a single value", plain);
    if (path_.back().empty()) {
      if (value.empty()) stop(mark, "a key is empty", "a name is expected");
      if (value.find_first_of(std::string_view(".\0\n", 3)) != std::string::npos) {
        stop(mark, "key " + printable(value) + " has a dot or line break in it", plain);
      }
      path_.back() = value;
      if (!keys_.insert(key()).second) stop(mark, "key " + printable(key()) + " stands here twice", "once is expected");
      return;
    }
    if (++entries_ > most_entries) stop(mark, "there are too many keys", "1000 are enough");
    std::string frame = std::to_string(mark.line + 1);
    (frame += '\n') += key();
    (frame += '\n') += value;
    sender_.send(value_tag, frame);
    path_.back().clear();
  }

 private:
  static constexpr const char* plain = "SECTION: with indented lines KEY: VALUE under it is expected";

  [[noreturn]] static void stop(const YAML::Mark& mark, const std::string& what, const std::string& right) {
    throw Stop{mark.line + 1, what, right};
  }
  static void refuse_extras(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) stop(mark, "&NAME makes an anchor", plain);
    // "?" is what has no tag, "!" what is in quotes.
    if (!tag.empty() && tag != "?" && tag != "!") stop(mark, "there is a tag, " + printable(tag), plain);
  }
  std::string key() const {
    std::string all;
    for (const std::string& part : path_) (all += all.empty() ? "" : ".") += part;
    return all;
  }

  Sender& sender_;
  std::vector<std::string> path_;  ///< open sections, each with the key that it is at; empty: a key comes next
  std::set<std::string> keys_;
  std::size_t documents_ = 0, entries_ = 0;
};

void parse_in_child(std::string_view text, Sender& sender) {
  const auto refuse = [&](int line, const std::string& what, const std::string& right) {
    sender.send(refusal_tag, std::to_string(line) + '\n' + what + '\n' + right);
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Walker walker(sender);
    while (parser.HandleNextDocument(walker)) {
    }
    sender.send(end_tag, "");
  } catch (const Stop& stop) {
    refuse(stop.line, stop.what, stop.right);
  } catch (const YAML::Exception& error) {
    refuse(error.mark.is_null() ? 1 : error.mark.line + 1, "this is not YAML: " + printable(error.msg),
           "SECTION: with indented lines KEY: VALUE under it is expected");
  }
}

/// A text without settings is one of comments, or it is no configuration: to the parser some other things are nothing.
void check_nothing(std::string_view text, const std::string& where) {
  for (std::size_t begin = 0, line = 1; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view all = text.substr(begin, end - begin);
    const std::size_t first = all.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && all[first] != '#' && all != "---") {
      throw Refused("this is no setting: " + printable(all.substr(first)), where + " line " + std::to_string(line),
                    "KEY: VALUE is expected");
    }
    begin = end + 1;
  }
}

/// What needs no parser to be seen.
void check_bytes(std::string_view text, const std::string& where) {
  std::size_t line = 1;
  bool indenting = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const std::string place = where + " line " + std::to_string(line);
    if (c == '\t' && indenting) throw Refused("a tab indents", place, "spaces are expected");
    if ((byte < ' ' && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f) {
      throw Refused("this is not text: it has a byte " + std::to_string(byte), place, "YAML is expected");
    }
    if (c == '\n') ++line;
    indenting = c == '\n' || (indenting && c == ' ');
  }
}

}  // namespace

std::vector<ConfigEntry> parse_yaml(std::string_view text, const std::string& where) {
  if (text.size() > largest_text) {
    throw Refused("the file has " + std::to_string(text.size()) + " bytes", where,
                  "a configuration of at most " + std::to_string(largest_text) + " is expected");
  }
  check_bytes(text, where);
  std::vector<ConfigEntry> entries;
  try {
    Isolated child(limits, [&](Sender& sender) { parse_in_child(text, sender); });
    for (;;) {
      const Isolated::Frame frame = child.next(2 * largest_text);
      if (frame.tag == end_tag) {
        if (entries.empty()) check_nothing(text, where);
        return entries;
      }
      const std::string bytes = child.read_text(frame.bytes);
      const std::size_t first = bytes.find('\n'), second = bytes.find('\n', first + 1);
      if (second == std::string::npos)
        throw ChildFailed(ChildFailed::Why::garbled, "makes the library answer nonsense");
      const std::string place = where + " line " + bytes.substr(0, first);
      const std::string middle = bytes.substr(first + 1, second - first - 1), last = bytes.substr(second + 1);
      if (frame.tag != value_tag) throw Refused(middle, place, last);
      entries.push_back({middle, last, place});
    }
  } catch (const ChildFailed& failed) {
    throw Refused(std::string("this is not YAML: reading it ") + failed.what(), where,
                  "SECTION: with indented lines KEY: VALUE under it is expected");
  }
}

std::vector<ConfigEntry> read_yaml(const std::filesystem::path& path) {
  const InputFile file(path);
  if (file.size() > largest_text) {
    throw Refused("the file has " + std::to_string(file.size()) + " bytes", path.string(),
                  "a configuration of at most " + std::to_string(largest_text) + " is expected");
  }
  const std::vector<std::byte> bytes = file.read_all();
  return parse_yaml({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

}  // namespace tool
