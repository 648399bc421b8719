#include "reserved_name.hpp"

#include <algorithm>
#include <string_view>

#include "bytes.hpp"

namespace tool {

namespace {

using std::string_view_literals::operator""sv;

/// Keywords of C++20 and their alternative spellings, the namespaces that a generated header itself needs, and what GCC
/// and Clang define as macros unless told to keep to the standard.
constexpr std::string_view language =
    " "
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class "
    "co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype "
    "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int "
    "linux long main mutable namespace ndt new noexcept not not_eq nullptr operator or or_eq posix private protected "
    "public register reinterpret_cast requires return short signed sizeof static static_assert static_cast std struct "
    "switch template this thread_local throw true try typedef typeid typename union unix unsigned using virtual void "
    "volatile wchar_t while xor xor_eq xsimd ";

/// What the C library, which no C++ source escapes, has in the global namespace or as macros.
constexpr std::string_view library =
    " "
    "BUFSIZ CLOCKS_PER_SEC DECIMAL_DIG FILE FILENAME_MAX FOPEN_MAX I INFINITY L_tmpnam MAXFLOAT MB_CUR_MAX MB_LEN_MAX "
    "NAN NSIG NULL RAND_MAX TMP_MAX WEOF WINT_MAX WINT_MIN abort acos acosh acoshf acoshl aligned_alloc alloca "
    "asctime asin asinh asinhf asinhl assert at_quick_exit atan atan2 atanh atanhf atanhl atexit atof atoi atol atoll "
    "bsearch btowc c16rtomb c32rtomb c8rtomb calloc cbrt cbrtf cbrtl ceil clearerr clock clock_t complex copysign "
    "copysignf copysignl cos cosh ctime difftime div div_t double_t erf erfc erfcf erfcl erff erfl errno exit exp "
    "exp2 exp2f exp2l expm1 expm1f expm1l fabs fclose fdim fdimf fdiml feclearexcept fegetenv fegetexceptflag "
    "fegetround feholdexcept fenv_t feof feraiseexcept ferror fesetenv fesetexceptflag fesetround fetestexcept "
    "feupdateenv fexcept_t fflush fgetc fgetpos fgets fgetwc fgetws float_t floor fma fmaf fmal fmax fmaxf fmaxl fmin "
    "fminf fminl fmod fopen fpclassify fpos_t fprintf fputc fputs fputwc fputws fread free freopen frexp fscanf fseek "
    "fsetpos ftell fwide fwprintf fwrite fwscanf getc getchar getenv gets getwc getwchar gmtime hypot hypotf hypotl "
    "i386 ilogb ilogbf ilogbl imaginary imaxabs imaxdiv imaxdiv_t int16_t int32_t int64_t int8_t int_fast16_t "
    "int_fast32_t int_fast64_t int_fast8_t int_least16_t int_least32_t int_least64_t int_least8_t intmax_t intptr_t "
    "isalnum isalpha isblank iscntrl isdigit isfinite isgraph isgreater isgreaterequal isinf isless islessequal "
    "islessgreater islower isnan isnormal isprint ispunct isspace isunordered isupper iswalnum iswalpha iswblank "
    "iswcntrl iswctype iswdigit iswgraph iswlower iswprint iswpunct iswspace iswupper iswxdigit isxdigit jmp_buf labs "
    "lconv ldexp ldiv ldiv_t lgamma lgammaf lgammal llabs lldiv lldiv_t llrint llrintf llrintl llround llroundf "
    "llroundl localeconv localtime log log10 log1p log1pf log1pl log2 log2f log2l logb logbf logbl longjmp lrint "
    "lrintf lrintl lround lroundf lroundl major makedev malloc math_errhandling max_align_t mblen mbrlen mbrtoc16 "
    "mbrtoc32 mbrtoc8 mbrtowc mbsinit mbsrtowcs mbstate_t mbstowcs mbtowc memchr memcmp memcpy memmove memset minor "
    "mktime modf nan nanf nanl nearbyint nearbyintf nearbyintl nextafter nextafterf nextafterl nexttoward nexttowardf "
    "nexttowardl noreturn offsetof perror pow printf putc putchar puts putwc putwchar qsort quick_exit raise rand "
    "realloc remainder remainderf remainderl remove remquo remquof remquol rename rewind rint rintf rintl round "
    "roundf roundl scalbln scalblnf scalblnl scalbn scalbnf scalbnl scanf setbuf setjmp setlocale setvbuf "
    "sig_atomic_t sigmask signal signbit sigsetjmp sin sinh snprintf sprintf sqrt srand sscanf stderr stdin stdout "
    "strcat strchr strcmp strcoll strcpy strcspn strerror strftime strlen strncat strncmp strncpy strpbrk strrchr "
    "strspn strstr strtod strtof strtoimax strtok strtol strtold strtoll strtoul strtoull strtoumax strxfrm swprintf "
    "swscanf system tan tanh tgamma tgammaf tgammal time time_t timespec timespec_get tm tmpfile tmpnam tolower "
    "toupper towctrans towlower towupper trunc truncf truncl uint16_t uint32_t uint64_t uint8_t uint_fast16_t "
    "uint_fast32_t uint_fast64_t uint_fast8_t uint_least16_t uint_least32_t uint_least64_t uint_least8_t uintmax_t "
    "uintptr_t ungetc ungetwc va_arg va_copy va_end va_list va_start vfprintf vfscanf vfwprintf vfwscanf vprintf "
    "vscanf vsnprintf vsprintf vsscanf vswprintf vswscanf vwprintf vwscanf wcrtomb wcscat wcschr wcscmp wcscoll "
    "wcscpy wcscspn wcsftime wcslen wcsncat wcsncmp wcsncpy wcspbrk wcsrchr wcsrtombs wcsspn wcsstr wcstod wcstof "
    "wcstoimax wcstok wcstol wcstold wcstoll wcstombs wcstoul wcstoull wcstoumax wcsxfrm wctob wctomb wctrans "
    "wctrans_t wctype wctype_t wint_t wmemchr wmemcmp wmemcpy wmemmove wmemset wprintf wscanf ";

/// The same of Unix, as far as a model could be called so.
constexpr std::string_view system_names =
    " access alarm close connect drem environ fork gamma getline index j0 j1 jn kill link listen nice nullptr_t off_t "
    "open optarg "
    "pause "
    "pid_t pipe poll ptrdiff_t random read rindex scalb select send size_t sleep socket ssize_t stat sync timezone "
    "truncate uint usleep wait write "
    "y0 y1 yn ";

/// Macros in capitals come in families, which the C standard reserves as such (7.31 of C17) or fills from limits.h.
constexpr std::string_view families[] = {
    "ATOMIC_", "CHAR_",  "CLOCK_", "DBL_",  "EXIT_",  "FE_",  "FLT_",    "FP_",      "HUGE_",  "INT",    "LC_",
    "LDBL_",   "LLONG_", "LONG_",  "MATH_", "M_",     "NDT_", "PRI",     "PTRDIFF_", "SCHAR_", "SCN",    "SEEK_",
    "SHRT_",   "SIG",    "SIZE_",  "TIME_", "UCHAR_", "UINT", "ULLONG_", "ULONG_",   "USHRT_", "WCHAR_", "XSIMD_"};

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return is_capital(c) || (c >= 'a' && c <= 'z') || c == '_'; }

bool is_reserved(const std::string& name) {
  if (name[0] == '_' || name.find("__") != std::string::npos) return true;
  for (const std::string_view words : {language, library, system_names}) {
    if (words.find(" " + name + " ") != std::string_view::npos) return true;
  }
  if (std::any_of(name.begin(), name.end(), [](char c) { return is_letter(c) && !is_capital(c) && c != '_'; })) {
    return false;
  }
  if (name[0] == 'E' && name.size() > 1 && (is_capital(name[1]) || is_digit(name[1]))) return true;  // of errno.h
  return std::any_of(std::begin(families), std::end(families), [&](auto family) { return name.starts_with(family); });
}

}  // namespace

void check_model_name(const std::string& name) {
  const auto refuse = [&](const std::string& what) {
    throw Refused(what, "name of the model", "a C++ identifier that can be a namespace is expected: --name ID");
  };
  if (name.empty()) refuse("the model has no name");
  if (is_digit(name[0]) || !std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); })) {
    refuse("'" + printable(name) + "' is no identifier");
  }
  if (is_reserved(name)) refuse("'" + printable(name) + "' is a reserved name");
}

}  // namespace tool
