#include "reasoning/verify/python_driver.h"

#include <fmt/format.h>

namespace ergo::reasoning {
namespace {

constexpr char kSeparator = '\x1e';
constexpr char kField = '\x1f';

// Both drivers end with one line: separator, fields, newline. Its text is cut, so that an answer
// of a million digits is a short report.
constexpr const char* kShared = R"(
import ast, numbers, os, sys
sys.set_int_max_str_digits(100000)
def report(*fields):
    sys.stdout.flush()
    line = '\x1e' + '\x1f'.join(str(f)[:4000] for f in fields) + '\n'
    os.write(1, line.encode('utf-8', 'replace'))
def where(error):
    line = getattr(error, 'lineno', None) if isinstance(error, SyntaxError) else None
    trace, last = error.__traceback__, ''
    while trace:
        last = trace.tb_frame.f_code.co_filename
        if last == 'step.py': line = trace.tb_lineno
        trace = trace.tb_next
    return line or 0, last == 'step.py'
def describe(error):
    text = str(error).split('\n')[0][:300]
    return type(error).__name__ + (': ' + text if text else '')
def text_of(data): return bytes.fromhex(data).decode('utf-8', 'replace')
)";

constexpr const char* kChecking = R"(
import io
class Count(ast.NodeTransformer):
    def __init__(self): self.lines = []
    def visit_Assert(self, node):
        self.lines.append(node.lineno)
        call = ast.Expr(ast.Call(ast.Name('__held__', ast.Load()), [ast.Constant(node.lineno)], []))
        return [node, ast.fix_missing_locations(ast.copy_location(call, node))]
def check(code, prelude):
    held, count = set(), Count()
    space = {'__name__': '__main__', '__held__': held.add}
    try:
        if prelude:
            stdout, sys.stdout = sys.stdout, io.StringIO()
            try: exec(compile(prelude, 'earlier.py', 'exec'), space)
            finally: sys.stdout = stdout
        tree = count.visit(ast.parse(code, 'step.py'))
        exec(compile(ast.fix_missing_locations(tree), 'step.py', 'exec'), space)
        end = ('end', 0, 'ended')
    except SystemExit as error:
        end = ('end' if error.code in (None, 0) else 'error', 0, 'exit with %s' % error.code)
    except BaseException as error:
        line, own = where(error)
        claim = isinstance(error, AssertionError) and own and line in count.lines
        end = ('assertion' if claim else 'error', line, describe(error))
    report(*end, len(held), len(set(count.lines)))
)";

constexpr const char* kAnswering = R"(
class Tee:
    def __init__(self, to): self.to, self.last, self.part = to, '', ''
    def write(self, text):
        lines = (self.part + text).split('\n')
        for line in lines:
            if line.strip(): self.last = line.strip()
        self.part = lines[-1][-4000:]
        return self.to.write(text)
    def __getattr__(self, name): return getattr(self.to, name)
def plain(value):
    if isinstance(value, float) and value == value and abs(value) < 1e15:
        rounded = round(value, 9)
        return str(int(rounded)) if rounded == int(rounded) else repr(rounded)
    return str(value)
def last_named(tree):
    for node in reversed(tree.body):
        if isinstance(node, ast.Assign): target = node.targets[0]
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)): target = node.target
        else: continue
        if isinstance(target, ast.Name): return target.id
def is_number(value):
    return isinstance(value, numbers.Number) and not isinstance(value, bool)
def answer_of(code):
    space = {'__name__': '__main__'}
    tee = sys.stdout = Tee(sys.stdout)
    try:
        tree = ast.parse(code, 'step.py')
        tail = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        value = None
        try:
            exec(compile(tree, 'step.py', 'exec'), space)
            if tail: value = eval(compile(ast.Expression(tail.value), 'step.py', 'eval'), space)
        except SystemExit: pass
        if space.get('answer') is not None and not callable(space['answer']):
            return ('value', plain(space['answer']))
        for name in ('solution', 'answer', 'main'):
            if callable(space.get(name)) and not tee.last and value is None:
                found = space[name]()
                if found is not None: return ('value', plain(found))
        if tee.last: return ('value', tee.last)
        if value is not None: return ('value', plain(value))
        named = space.get(last_named(tree))
        if is_number(named): return ('value', plain(named))
        return ('none', 'it computes no number, has no solution() and prints nothing')
    except SystemExit: return ('value', tee.last) if tee.last else ('none', 'it left early')
    except BaseException as error:
        line, own = where(error)
        return ('none', describe(error) + (' in line %d' % line if line else ''))
)";

std::string Quoted(std::string_view text) {
  std::string hex = "text_of('";
  hex.reserve(2 * text.size() + 16);
  for (const char c : text)
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(c));
  return hex + "')";
}

}  // namespace

std::string CheckingDriver(std::string_view code, std::string_view prelude) {
  return fmt::format("{}{}check({}, {})\n", kShared, kChecking, Quoted(code), Quoted(prelude));
}

std::string AnsweringDriver(std::string_view code) {
  return fmt::format("{}{}report(*answer_of({}))\n", kShared, kAnswering, Quoted(code));
}

DriverReport SplitReport(std::string_view out) {
  const auto at = out.rfind(kSeparator);
  if (at == std::string_view::npos || !out.ends_with('\n')) return {std::string(out), {}};
  DriverReport report{std::string(out.substr(0, at)), {}};
  std::string_view rest = out.substr(at + 1);
  rest.remove_suffix(1);
  for (;;) {
    const auto end = rest.find(kField);
    report.fields.emplace_back(rest.substr(0, end));
    if (end == std::string_view::npos) return report;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace ergo::reasoning
