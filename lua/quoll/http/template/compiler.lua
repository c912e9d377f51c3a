--- Templates to Lua, line by line: a line of the Lua is that line of the
-- template, so that Lua's own errors name it.
--
-- {{expression}} escaped, {*expression*} as it is, {% statements %} (a line end
-- right behind is dropped), {(name)} or {(name, context)} another template,
-- {-name-} ... {-name-} a block, {# a comment #}.
-- @module quoll.http.template.compiler

local find, format, rep, sub = string.find, string.format, string.rep,
  string.sub

local compiler = {}

local ENDS = { ["{"] = "}}", ["*"] = "*}", ["%"] = "%}", ["("] = ")}",
  ["-"] = "-}", ["#"] = "#}" }

local function newlines(text)
  return rep("\n", select(2, text:gsub("\n", "")))
end

local function fail(state, at, why)
  local line = 1 + #newlines(sub(state.source, 1, at - 1))
  error { message = format("%s:%d: %s", state.name, line, why) }
end

local function emit(state, code)
  state[#state + 1] = code
end

-- Lua that stands for itself: what looks like the end of one expression and
-- the begin of another statement is refused here, with its line.
local function check_expression(state, at, text)
  local line = #newlines(sub(state.source, 1, at - 1))
  local _, err = loadstring(rep("\n", line) .. "return (" .. text .. ")",
    "=" .. state.name)
  if err then
    error { message = err }
  end
end

local function expression(state, at, text, call)
  if not find(text, "%S") then
    fail(state, at, "an expression expected")
  end
  check_expression(state, at, text)
  emit(state, format(" __n=__n+1 __out[__n]=%s((%s)) ", call, text))
end

local tags = {}

tags["{"] = function(state, at, text)
  expression(state, at, text, "__escape")
end

tags["*"] = function(state, at, text)
  expression(state, at, text, "__raw")
end

-- A comment at its end would swallow what follows in the line.
tags["%"] = function(state, _, text)
  if not find(text, "--[", 1, true) then
    text = text:gsub("%-%-[^'\"\n]*$", "")
  end
  emit(state, " " .. text .. " ")
end

tags["#"] = function(state, _, text)
  emit(state, newlines(text))
end

tags["("] = function(state, at, text)
  local name, context = text:match "^%s*([^,]-)%s*,(.*)$"
  name = name or text:match "^%s*(.-)%s*$"
  if context then
    check_expression(state, at, context)
  end
  emit(state, format(" __n=__n+1 __out[__n]=__include(%q,%s) %s", name,
    context and "(" .. context .. ")" or "nil",
    newlines(context and "" or text)))
end

tags["-"] = function(state, at, text)
  local name = text:match "[%a_][%w_]*"
  if not state.block then
    state.block, state.block_at = name, at
    emit(state, " local __kept,__from=__out,__n __out,__n={},0 ")
  elseif state.block ~= name then
    fail(state, at, format("block '%s' is not ended yet", state.block))
  else
    state.block = nil
    emit(state, format(" blocks[%q]=__concat(__out) __out,__n=__kept,__from ",
      name))
  end
end

-- CSS and JavaScript have these too: only what has the whole form is a tag.
local FORMS = {
  ["-"] = "^{%-%s*[%a_][%w_]*%s*%-}",
  ["("] = "^{%(%s*[%w_][%w_./-]*%s*%)}",
  ["#"] = "^{#.-#}",
}

local function ended(_, last)
  return last
end

-- The kind of the tag that begins at `at`, and where it ends; nil: it is text.
local function tag_at(state, at)
  local source = state.source
  local kind = sub(source, at + 1, at + 1)
  local form = FORMS[kind]
  if form then
    local last = ended(find(source, form, at))
    if kind == "(" and find(source, "^{%(%s*[%w_][%w_./-]*%s*,", at) then
      last = ended(find(source, ")}", at, true))
    end
    return last and kind, last
  end
  local last = ended(find(source, ENDS[kind], at + 2, true))
  if not last then
    fail(state, at, format("'{%s' without '%s'", kind, ENDS[kind]))
  end
  return kind, last
end

local function add_text(state, from, to)
  if from <= to then
    emit(state, format(" __n=__n+1 __out[__n]=%q ",
      sub(state.source, from, to)))
  end
end

-- Statements and blocks take the line end behind them with them.
local function translate_tag(state, kind, at, last)
  local source = state.source
  tags[kind](state, at + 2, sub(source, at + 2, last - 2))
  if kind == "%" or kind == "-" then
    local line_end = ended(find(source, "^\r?\n", last + 1))
    if line_end then
      emit(state, "\n")
      return line_end + 1
    end
  end
  return last + 1
end

local function translate(state)
  local source, at, from = state.source, 1, 1
  while true do
    at = find(source, "{[{*%%(%-#]", at)
    if not at then
      break
    end
    local kind, last = tag_at(state, at)
    if kind then
      add_text(state, from, at - 1)
      from = translate_tag(state, kind, at, last)
      at = from
    else
      at = at + 1
    end
  end
  add_text(state, from, #source)
  if state.block then
    fail(state, state.block_at, format("block '%s' is not ended", state.block))
  end
end

-- All in the first line. `layout` and `blocks` are the template's to use.
local HEAD = "local __escape,__raw,__include,__concat,blocks=... "
  .. "local layout local __out,__n={},0 "

--- Compiles one.
-- @string source
-- @string name for errors
-- @treturn[1] function () -> function(escape, raw, include, concat, blocks) ->
-- text, layout; each of them new, its globals are its environment's
-- @treturn[2] nil
-- @treturn[2] string "name:line: ..."
function compiler.compile(source, name)
  local state = { source = source, name = name }
  local ok, err = pcall(translate, state)
  if not ok then
    if type(err) ~= "table" then
      error(err, 0)
    end
    return nil, err.message
  end
  return loadstring("return function(...) " .. HEAD .. table.concat(state)
    .. "\nreturn __concat(__out),layout end", "=" .. name)
end

return compiler
