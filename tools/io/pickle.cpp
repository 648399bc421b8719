// tools/io/pickle.cpp: the stack machine of Python's pickletools, as far as checkpoints need it.
#include "pickle.hpp"

#include <bit>
#include <unordered_map>

#include "bytes.hpp"
#include "pickle_build.hpp"

namespace tool::pickle {

namespace {

/// torch.save opens its old container with this number, the only one here beyond 64 bits.
constexpr std::string_view torch_magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// Instructions that exist and are refused, for messages.
std::string name_of(unsigned char opcode) {
  switch (opcode) {
    case 'F':
      return "FLOAT";
    case 'I':
      return "INT";
    case 'L':
      return "LONG";
    case 'S':
      return "STRING";
    case 'V':
      return "UNICODE";
    case 'P':
      return "PERSID";
    case 'g':
      return "GET";
    case 'p':
      return "PUT";
    case 'd':
      return "DICT";
    case 'l':
      return "LIST";
    case 'i':
      return "INST";
    case 'o':
      return "OBJ";
    case 0x82:
      return "EXT1";
    case 0x83:
      return "EXT2";
    case 0x84:
      return "EXT4";
    case 0x8b:
      return "LONG4";
    case 0x92:
      return "NEWOBJ_EX";
    case 0x96:
      return "BYTEARRAY8";
    case 0x97:
      return "NEXT_BUFFER";
    case 0x98:
      return "READONLY_BUFFER";
    default:
      return "number " + std::to_string(opcode);
  }
}

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& where, std::size_t base) : in_(bytes, where, base) {}

  Document run() {
    while (!stopped_) {
      at_ = in_.position();
      step(in_.number<unsigned char>("the pickle"));
    }
    document_.length = in_.position();
    return std::move(document_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& right) const {
    throw Refused(what, in_.place(at_), right);
  }

  Ref add(Value value) {
    document_.values.push_back(std::move(value));
    return static_cast<Ref>(document_.values.size() - 1);
  }
  void push(Value value) { stack_.push_back(add(std::move(value))); }
  void push_integer(std::int64_t number) {
    Value value{Kind::integer};
    value.integer = number;
    push(std::move(value));
  }
  void push_boolean(bool boolean) {
    Value value{Kind::boolean};
    value.integer = boolean;
    push(std::move(value));
  }
  void push_text(Kind kind, std::uint64_t length) {
    Value value{kind};
    value.text = in_.take(length, "a text in the pickle");
    push(std::move(value));
  }
  void push_built(Built built) { stack_.push_back(built.existing ? *built.existing : add(std::move(built.value))); }

  /// The bottom of what the instruction may use: the topmost mark.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Ref pop() {
    if (stack_.size() <= floor()) refuse("the pickle takes from an empty stack", "it is damaged");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }
  Ref top() const {
    if (stack_.size() <= floor()) refuse("the pickle takes from an empty stack", "it is damaged");
    return stack_.back();
  }
  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) refuse("the pickle looks for a mark that was not set", "it is damaged");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Ref> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  void push_tuple(std::size_t count) {
    Value tuple{Kind::tuple};
    tuple.items.resize(count);
    for (std::size_t i = count; i-- > 0;) tuple.items[i] = pop();
    push(std::move(tuple));
  }
  void push_items(Kind kind) {
    Value value{kind};
    value.items = pop_to_mark();
    push(std::move(value));
  }
  void append(const std::vector<Ref>& items) {
    Value& list = document_.values[top()];
    if (list.kind != Kind::list) refuse("the pickle appends to what is no list", "it is damaged");
    list.items.insert(list.items.end(), items.begin(), items.end());
  }
  void set_items(const std::vector<Ref>& items) {
    if (items.size() % 2 != 0) refuse("the pickle sets a key without a value", "it is damaged");
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const Kind kind = document_[items[i]].kind;
      if (kind != Kind::text && kind != Kind::integer) {
        refuse("a dictionary has a key that is neither text nor an integer", "checkpoints have only such keys");
      }
    }
    Value& dict = document_.values[top()];
    if (dict.kind != Kind::dict) refuse("the pickle sets a key of what is no dictionary", "it is damaged");
    dict.items.insert(dict.items.end(), items.begin(), items.end());
  }
  void memoize(std::uint32_t index) { memo_[index] = top(); }
  void recall(std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) refuse("the pickle recalls what it never stored", "it is damaged");
    stack_.push_back(found->second);
  }
  void push_global() {
    const std::string_view module = in_.line("a module name"), name = in_.line("a name");
    push(find_global(module, name, in_.place(at_)));
  }
  void push_stack_global() {
    const Value name = document_[pop()], module = document_[pop()];
    if (name.kind != Kind::text || module.kind != Kind::text) {
      refuse("the pickle names something by other than text", "it is damaged");
    }
    push(find_global(module.text, name.text, in_.place(at_)));
  }
  void push_long(std::string_view digits) {
    if (digits == torch_magic) return push(Value{Kind::magic});
    if (digits.size() > 8)
      refuse("an integer has " + std::to_string(digits.size()) + " bytes", "at most 8 are expected");
    std::uint64_t number = !digits.empty() && static_cast<signed char>(digits.back()) < 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(digits[i]);
    push_integer(static_cast<std::int64_t>(number));
  }
  void reduce() {
    const Ref arguments = pop(), callable = pop();
    push_built(call(document_, callable, arguments, in_.place(at_)));
  }
  void build() {
    const Ref state = pop();
    set_state(document_, top(), state, in_.place(at_));
  }
  void stop() {
    document_.root = pop();
    if (!stack_.empty() || !marks_.empty()) refuse("the pickle stops with values left over", "it is damaged");
    stopped_ = true;
  }
  void protocol() {
    const auto version = in_.number<unsigned char>("the pickle");
    if (version > 5) refuse("the pickle has protocol " + std::to_string(version), "protocols up to 5 are read");
  }
  void frame() {
    // Frames only help to read ahead; what is in them is read as if they were not there.
    if (in_.number<std::uint64_t>("a frame") > in_.left())
      refuse("a frame is longer than the pickle", "it is cut short");
  }

  void step(unsigned char opcode) {
    static constexpr const char* what = "the pickle";
    switch (opcode) {
      case 0x80:
        return protocol();
      case 0x95:
        return frame();
      case '.':
        return stop();
      case '(':
        return marks_.push_back(stack_.size());
      case '0':
        return pop_or_unmark();
      case '1':
        return static_cast<void>(pop_to_mark());
      case '2':
        return stack_.push_back(top());
      case 'N':
        return push(Value{Kind::none});
      case 0x88:
        return push_boolean(true);
      case 0x89:
        return push_boolean(false);
      case 'J':
        return push_integer(in_.number<std::int32_t>(what));
      case 'K':
        return push_integer(in_.number<std::uint8_t>(what));
      case 'M':
        return push_integer(in_.number<std::uint16_t>(what));
      case 0x8a:
        return push_long(in_.take(in_.number<std::uint8_t>(what), "an integer in the pickle"));
      case 'G':
        return push_real();
      case 'X':
        return push_text(Kind::text, in_.number<std::uint32_t>(what));
      case 0x8c:
        return push_text(Kind::text, in_.number<std::uint8_t>(what));
      case 0x8d:
        return push_text(Kind::text, in_.number<std::uint64_t>(what));
      // Texts of Python 2.
      case 'T':
        return push_text(Kind::text, in_.number<std::uint32_t>(what));
      case 'U':
        return push_text(Kind::text, in_.number<std::uint8_t>(what));
      case 'B':
        return push_text(Kind::bytes, in_.number<std::uint32_t>(what));
      case 'C':
        return push_text(Kind::bytes, in_.number<std::uint8_t>(what));
      case 0x8e:
        return push_text(Kind::bytes, in_.number<std::uint64_t>(what));
      case ']':
      case 0x8f:
        return push(Value{Kind::list});  // a set is read as a list
      case 'a':
        return append({pop()});
      case 'e':
      case 0x90:
        return append(pop_to_mark());
      case 0x91:
        return push_items(Kind::list);
      case ')':
        return push(Value{Kind::tuple});
      case 't':
        return push_items(Kind::tuple);
      case 0x85:
        return push_tuple(1);
      case 0x86:
        return push_tuple(2);
      case 0x87:
        return push_tuple(3);
      case '}':
        return push(Value{Kind::dict});
      case 's':
        return set_item();
      case 'u':
        return set_items(pop_to_mark());
      case 'c':
        return push_global();
      case 0x93:
        return push_stack_global();
      case 'R':
      case 0x81:
        return reduce();
      case 'b':
        return build();
      case 'Q':
        return push(storage_of(document_, pop(), in_.place(at_)));
      case 'q':
        return memoize(in_.number<std::uint8_t>(what));
      case 'r':
        return memoize(in_.number<std::uint32_t>(what));
      case 0x94:
        return memoize(static_cast<std::uint32_t>(memo_.size()));
      case 'h':
        return recall(in_.number<std::uint8_t>(what));
      case 'j':
        return recall(in_.number<std::uint32_t>(what));
      default:
        refuse("the pickle has instruction " + name_of(opcode), "what torch.save writes is expected");
    }
  }
  void pop_or_unmark() {
    if (!marks_.empty() && marks_.back() == stack_.size()) return marks_.pop_back();
    pop();
  }
  void push_real() {
    Value value{Kind::real};
    value.real = std::bit_cast<double>(__builtin_bswap64(in_.number<std::uint64_t>("the pickle")));
    push(std::move(value));
  }
  void set_item() {
    const Ref value = pop(), key = pop();
    set_items({key, value});
  }

  Cursor in_;
  std::size_t at_ = 0;  ///< start of the current instruction
  bool stopped_ = false;
  Document document_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Ref> memo_;
};

}  // namespace

Document parse(std::string_view bytes, const std::string& where, std::size_t base) {
  // Every value takes at least one byte of the pickle, so a Ref can count them.
  if (bytes.size() > std::size_t{1} << 31) bytes = bytes.substr(0, std::size_t{1} << 31);
  return Machine(bytes, where, base).run();
}

}  // namespace tool::pickle
