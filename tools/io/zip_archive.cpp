// tools/io/zip_archive.cpp
#include "zip_archive.hpp"

#include <zip.h>

#include <memory>

#include "bytes.hpp"
#include "zip_layout.hpp"

namespace tool {

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Refused("the zip archive is damaged: " + what, where, "a whole archive whose checksums are right is expected");
}

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
struct Error {
  zip_error_t error;
  Error() { zip_error_init(&error); }
  ~Error() { zip_error_fini(&error); }
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;

Archive open(std::string_view bytes, const std::string& where) {
  Error error;
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error.error);
  if (source == nullptr) refuse(zip_error_strerror(&error.error), where);
  Archive archive(zip_open_from_source(source, ZIP_RDONLY, &error.error));
  if (archive == nullptr) {
    zip_source_free(source);
    refuse(zip_error_strerror(&error.error), where);
  }
  return archive;
}

std::string content_of(zip_t* archive, zip_uint64_t index, const zip_stat_t& stat, const std::string& where) {
  const std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen_index(archive, index, 0));
  if (file == nullptr) refuse(zip_strerror(archive), where);
  // One byte more than that, so that the reader comes to the end of the entry:
  // only there it compares the checksum.
  std::string content(stat.size + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const zip_int64_t got = zip_fread(file.get(), content.data() + size, content.size() - size);
    if (got < 0) refuse(zip_file_strerror(file.get()), where);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size != stat.size) refuse("it unpacks to another size", where);
  content.resize(size);
  return content;
}

}  // namespace

std::map<std::string, std::string, std::less<>> read_zip(std::string_view bytes, const std::string& where) {
  std::size_t left = check_zip_layout(bytes, where);
  const Archive archive = open(bytes, where);
  std::map<std::string, std::string, std::less<>> contents;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(archive.get(), i, ZIP_FL_ENC_RAW, &stat) != 0) refuse(zip_strerror(archive.get()), where);
    const std::string place = where + " entry " + printable(stat.name);
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE) {
      throw Refused("an entry of the zip archive is encrypted", place, "PyTorch does not encrypt");
    }
    if (stat.size > left) refuse("it has other entries than its directory", where);
    left -= stat.size;
    if (!contents.emplace(stat.name, content_of(archive.get(), i, stat, place)).second) {
      refuse("two entries have one name", place);
    }
  }
  return contents;
}

}  // namespace tool
