-- agreement.lua: what docs/API.md, the docstrings and the run-time tables say
-- of the same functions, compared.
local api = require "docs.site.api"
local c_reference = require "docs.site.c_reference"
local disk = require "docs.site.disk"
local header = require "docs.site.header"
local known = require "docs.site.known"
local types = require "docs.site.types"

local agreement = {}

-- Errors of misuse, and so the manual, call them by their whole name.
local whole = { opts = "options" }

-- "fn, [options]"; what "..." stands for the manual may spell out.
local function shape(params)
    local out = {}
    for _, param in ipairs(params) do
        if param.name == "..." then
            break
        end
        local name = whole[param.name] or param.name
        out[#out + 1] = param.optional and "[" .. name .. "]" or name
    end
    return out
end

local function open_ended(params)
    return params[#params] and params[#params].name == "..."
end

local function params_differ(entry)
    local said, is = entry.manual.params, api.parameters(entry.item)
    local a, b = shape(said), shape(is)
    for i = #a, #b + 1, -1 do
        if open_ended(is) then
            a[i] = nil
        end
    end
    a, b = table.concat(a, ", "), table.concat(b, ", ")
    if a ~= b then
        return ("the manual has (%s), its docstring (%s)"):format(a, b)
    end
end

local function check_type(what, given, tell)
    local ok, part = types.luacats(given or "any")
    if not given then
        tell(what .. ": no type")
    elseif not ok then
        tell(("%s: %s is no type"):format(what, part))
    end
end

local function check_entry(entry, tell)
    local item = entry.item
    if not item then
        return tell "has no docstring"
    elseif (item.text or "") == "" then
        tell "has a docstring without words"
    end
    local differ = entry.manual.params and params_differ(entry)
    if differ then
        tell(differ)
    end
    for _, param in ipairs(item.params) do
        check_type("parameter " .. param.name, param.type, tell)
    end
    for _, group in ipairs(item.returns) do
        for _, value in ipairs(group) do
            check_type(("result '%s'"):format(value.text), value.type, tell)
        end
    end
end

-- `name`, `{name = true}`, or in a block of code.
local function names_option(text, name)
    return text:find("`[^`\n]*%f[%w_]" .. name .. "%f[^%w_][^`\n]*`") ~= nil
        or text:find("[{,]%s*" .. name .. " = ") ~= nil
end

local function check_options(entry, tell)
    local options, at = known.of(entry)
    if at and not options then
        return tell "its options cannot be found out"
    end
    for name in pairs(options or {}) do
        if not names_option(entry.manual.section, name) then
            tell(("the manual does not name its option `%s`"):format(name))
        end
    end
end

-- What does not agree of an entry of api.read(), in words.
function agreement.entry(entry)
    local wrong = {}
    local function tell(words)
        wrong[#wrong + 1] = entry.name .. ": " .. words
    end
    check_entry(entry, tell)
    check_options(entry, tell)
    return wrong
end

-- Of all of Lua.
function agreement.lua(root)
    local found = api.read(root)
    local wrong = { unpack(found.warnings) }
    for _, entry in ipairs(found.entries) do
        for _, words in ipairs(agreement.entry(entry)) do
            wrong[#wrong + 1] = words
        end
    end
    return wrong
end

-- The options that a file of Lua has checked, those inside options too: of each
-- table that is given to quoll.options, or to what unites several, the keys.
function agreement.checked(text)
    local list = {}
    for call in text:gmatch "options%.%l+(%b())" do
        for name in call:gmatch "[%a_][%w_]*" do
            for keys in text:gmatch("%f[%w_]" .. name .. " = (%b{})") do
                for key in keys:gmatch '%f[%w_]([%a_][%w_]*) = [%["t]' do
                    list[#list + 1] = key
                end
            end
        end
    end
    return list
end

-- Of all of Lua: options that the manual, a text, names nowhere; and how many
-- there are.
function agreement.options(root, manual)
    local wrong, count = {}, 0
    for _, path in ipairs(disk.lines("find " .. root
        .. "/lua/quoll -name '*.lua'")) do
        for _, name in ipairs(agreement.checked(disk.read(path))) do
            count = count + 1
            if not names_option(manual, name) then
                wrong[#wrong + 1] = ("%s: the manual names no option `%s`")
                    :format(path, name)
            end
        end
    end
    return wrong, count
end

-- Of C: public functions without a comment.
function agreement.c(root)
    local wrong = {}
    for _, path in ipairs(c_reference.headers) do
        for _, section in ipairs(header.parse(
            disk.read(root .. "/" .. path)).sections) do
            for _, entry in ipairs(section.entries) do
                if entry.kind == "function" and not entry.words then
                    wrong[#wrong + 1] = ("%s:%d: %s has no comment"):format(
                        path, entry.line, entry.name)
                end
            end
        end
    end
    return wrong
end

return agreement
