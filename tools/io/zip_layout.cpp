// tools/io/zip_layout.cpp: field names and offsets as in PKWARE's APPNOTE.TXT, 4.3.7 to 4.3.16.
#include "zip_layout.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <vector>

#include "bytes.hpp"

namespace tool {

namespace {

constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50, end_signature = 0x06054b50,
                        end64_signature = 0x06064b50, locator64_signature = 0x07064b50,
                        descriptor_signature = 0x08074b50;
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, end64_size = 56, locator64_size = 20;
constexpr std::size_t longest_comment = 0xffff;
constexpr std::uint16_t has_descriptor = 8;
/// In place of a number that stands elsewhere, in 64 bits.
constexpr std::uint32_t in_64_bits = 0xffffffff;

constexpr std::string_view wide_id("\1\0", 2);

struct Entry {
  std::string_view header;  ///< in the central directory
  std::string_view name;
  std::uint16_t made_by, flags, method;
  std::uint32_t crc;
  std::uint64_t packed, size, offset;
};

class Layout {
 public:
  Layout(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  std::size_t check() {
    find_directory();
    read_directory();
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
    std::size_t at = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const std::size_t next = i + 1 < entries_.size() ? entries_[i + 1].offset : directory_;
      expect(entries_[i].offset == at && next <= directory_, at, "entries do not follow one another");
      check_local(entries_[i], next);
      at = next;
    }
    return check_total();
  }

 private:
  void expect(bool condition, std::size_t at, const char* what) const {
    if (!condition) {
      throw Refused(std::string("the zip archive is damaged: ") + what, where_ + " byte " + std::to_string(at),
                    "the archive as PyTorch or a zip tool wrote it is expected");
    }
  }
  template <class T>
  T at(std::size_t offset) const {
    expect(offset <= bytes_.size() && sizeof(T) <= bytes_.size() - offset, offset, "it ends too early");
    return load<T>(bytes_, offset);
  }
  std::string_view part(std::size_t offset, std::size_t size) const {
    expect(offset <= bytes_.size() && size <= bytes_.size() - offset, offset, "it ends too early");
    return bytes_.substr(offset, size);
  }

  void find_directory() {
    expect(bytes_.size() >= end_size, 0, "it ends too early");
    const std::size_t last = bytes_.size() - end_size;
    // A comment may stand behind the end, whatever is written in it.
    const auto is_end = [&](std::size_t comment) {
      return at<std::uint32_t>(last - comment) == end_signature && at<std::uint16_t>(last - comment + 20) == comment;
    };
    std::size_t comment = 0;
    while (comment < std::min(last, longest_comment) && !is_end(comment)) ++comment;
    expect(is_end(comment), last, "its end is not there");
    end_ = last - comment;
    expect(at<std::uint32_t>(end_ + 4) == 0, end_ + 4, "it has several parts");
    count_ = at<std::uint16_t>(end_ + 10);
    std::size_t size = at<std::uint32_t>(end_ + 12);
    directory_ = at<std::uint32_t>(end_ + 16);
    expect(at<std::uint16_t>(end_ + 8) == count_, end_ + 8, "entries are missing");
    // The 64-bit records that PyTorch always adds say the same once more, others what is too large for the first.
    if (end_ >= locator64_size && at<std::uint32_t>(end_ - locator64_size) == locator64_signature) read_end64(size);
    expect(directory_ <= end_ && size == end_ - directory_, end_ + 12, "its directory is not where it should be");
  }
  void read_end64(std::size_t& size) {
    const std::size_t locator = end_ - locator64_size;
    expect(locator >= end64_size, locator, "it ends too early");
    const std::size_t record = locator - end64_size;
    expect(at<std::uint32_t>(record) == end64_signature && at<std::uint64_t>(record + 4) == end64_size - 12 &&
               at<std::uint32_t>(locator + 4) == 0 && at<std::uint64_t>(locator + 8) == record &&
               at<std::uint32_t>(locator + 16) == 1,
           record, "its 64-bit end is not where it should be");
    const auto agree = [&](std::size_t& number, std::size_t offset, std::uint64_t elsewhere) {
      const auto wide = at<std::uint64_t>(record + offset);
      if (number == elsewhere) number = wide;
      return number == wide;
    };
    expect(at<std::uint64_t>(record + 16) == 0 && agree(count_, 32, 0xffff) && agree(size, 40, in_64_bits) &&
               agree(directory_, 48, in_64_bits) && at<std::uint64_t>(record + 24) == count_,
           record, "its two ends disagree");
    end_ = record;
    versions64_ = at<std::uint32_t>(record + 12);
    expect(versions64_ != 0, record + 12, "its 64-bit end has no version");
  }

  void read_directory() {
    std::size_t offset = directory_;
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < count_; ++i) {
      expect(at<std::uint32_t>(offset) == central_signature, offset, "a directory entry does not begin");
      const std::string_view header = part(offset, central_size);
      const std::size_t name = load<std::uint16_t>(header, 28), extra = load<std::uint16_t>(header, 30);
      Entry entry{header,
                  part(offset + central_size, name),
                  load<std::uint16_t>(header, 4),
                  load<std::uint16_t>(header, 8),
                  load<std::uint16_t>(header, 10),
                  load<std::uint32_t>(header, 16),
                  load<std::uint32_t>(header, 20),
                  load<std::uint32_t>(header, 24),
                  load<std::uint32_t>(header, 42)};
      const std::string_view wide = check_extra(offset + central_size + name, extra);
      read_wide(wide, offset, {&entry.size, &entry.packed, &entry.offset});
      check_constants(entry, offset);
      expect(names.insert(entry.name).second, offset, "two entries have one name");
      offset += central_size + name + extra;
      entries_.push_back(entry);
    }
    expect(offset == end_, offset, "its directory has another size than it says");
    expect(!entries_.empty(), directory_, "it has no entries");
  }
  /// The 64-bit extra field has, one after another, those numbers that do not fit their own places.
  void read_wide(std::string_view wide, std::size_t offset, std::initializer_list<std::uint64_t*> numbers) const {
    for (std::uint64_t* const number : numbers) {
      if (*number != in_64_bits) continue;
      expect(wide.size() >= sizeof(*number), offset, "a 64-bit number is missing");
      *number = load<std::uint64_t>(wide);
      wide.remove_prefix(sizeof(*number));
    }
  }
  void check_constants(const Entry& entry, std::size_t offset) const {
    expect(load<std::uint32_t>(entry.header, 32) == 0, offset + 32, "an entry has a comment or another part");
    expect(entries_.empty() || entry.made_by == entries_.front().made_by, offset + 4, "entries have several writers");
    expect(entry.method == 0 || entry.method == 8, offset + 10, "an entry is neither stored nor deflated");
    expect(entry.method == 8 || entry.packed == entry.size, offset + 20, "a stored entry has two sizes");
    // PyTorch says nothing about itself or about permissions, and gives its 64-bit end always the same versions.
    if (entry.made_by != 0) return;
    expect(load<std::uint16_t>(entry.header, 36) == 0 && load<std::uint32_t>(entry.header, 38) == 0, offset + 36,
           "an entry has attributes");
    expect(versions64_ == 0 || versions64_ == 0x002d031e, end_ + 12, "its 64-bit end has another version");
  }
  /// A flood that a few bytes deflate to is not a checkpoint. Random weights hardly shrink.
  std::size_t check_total() const {
    const std::size_t most = 100 * (bytes_.size() + (1 << 14));
    std::size_t total = 0;
    for (const Entry& entry : entries_) {
      expect(entry.size <= most - total, directory_, "its contents are over a hundred times its own size");
      total += entry.size;
    }
    return total;
  }

  void check_local(const Entry& entry, std::size_t next) const {
    const std::size_t offset = entry.offset;
    const std::string_view header = part(offset, local_size);
    expect(load<std::uint32_t>(header) == local_signature, offset, "an entry does not begin");
    // Version, flags, method, time and date are the same in both places.
    expect(header.substr(4, 10) == entry.header.substr(6, 10), offset + 4, "an entry and its directory entry disagree");
    const std::size_t name = load<std::uint16_t>(header, 26), extra = load<std::uint16_t>(header, 28);
    expect(part(offset + local_size, name) == entry.name, offset + local_size, "an entry has two names");
    std::uint64_t packed = load<std::uint32_t>(header, 18), size = load<std::uint32_t>(header, 22);
    read_wide(check_extra(offset + local_size + name, extra), offset, {&size, &packed});
    const std::size_t data = offset + local_size + name + extra;
    expect(data <= next && entry.packed <= next - data, offset, "an entry reaches into the next one");
    const std::size_t end = data + entry.packed;
    const bool described = (entry.flags & has_descriptor) != 0;
    const auto agree = [&](std::uint32_t crc, std::uint64_t packed_size, std::uint64_t unpacked_size) {
      return crc == entry.crc && packed_size == entry.packed && unpacked_size == entry.size;
    };
    const auto crc = load<std::uint32_t>(header, 14);
    expect(agree(crc, packed, size) || (described && crc == 0 && packed == 0 && size == 0), offset + 14,
           "an entry and its directory entry disagree");
    if (!described) return expect(end == next, end, "there is something between two entries");
    // Checksum and two sizes of 4 or 8 bytes, behind a signature or not.
    const std::size_t left = next - end;
    const bool is_signed = left == 16 || left == 24, is_wide = left == 20 || left == 24;
    const std::size_t sums = end + (is_signed ? 4 : 0);
    expect((is_signed && at<std::uint32_t>(end) == descriptor_signature) || left == 12 || left == 20, end,
           "an entry has no descriptor");
    expect(is_wide ? agree(at<std::uint32_t>(sums), at<std::uint64_t>(sums + 4), at<std::uint64_t>(sums + 12))
                   : agree(at<std::uint32_t>(sums), at<std::uint32_t>(sums + 4), at<std::uint32_t>(sums + 8)),
           end, "an entry and its descriptor disagree");
  }

  /// Extra fields: pairs of identifier and size. PyTorch's, called FB, is padding: letters Z. Returns the 64-bit one.
  std::string_view check_extra(std::size_t offset, std::size_t size) const {
    const std::string_view extra = part(offset, size);
    std::string_view wide;
    for (std::size_t i = 0; i < extra.size();) {
      expect(extra.size() - i >= 4, offset + i, "an extra field is cut short");
      const std::string_view id = extra.substr(i, 2);
      const std::size_t length = load<std::uint16_t>(extra, i + 2);
      expect(length <= extra.size() - i - 4, offset + i, "an extra field is cut short");
      const std::string_view field = extra.substr(i + 4, length);
      if (id == "FB") expect(field.find_first_not_of('Z') == std::string_view::npos, offset + i, "its padding is not");
      if (id == wide_id) wide = field;
      if (!entries_.empty() && entries_.front().made_by == 0) {
        expect(id == "FB" || id == wide_id, offset + i, "an extra field is unknown");
      }
      i += 4 + length;
    }
    return wide;
  }

  std::string_view bytes_;
  const std::string& where_;
  std::size_t end_ = 0;        ///< of the central directory
  std::size_t directory_ = 0;  ///< its start
  std::size_t count_ = 0;
  std::uint32_t versions64_ = 0;  ///< of the writer of the 64-bit end, if there is one
  std::vector<Entry> entries_;
};

}  // namespace

std::size_t check_zip_layout(std::string_view bytes, const std::string& where) { return Layout(bytes, where).check(); }

}  // namespace tool
