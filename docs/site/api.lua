-- api.lua: the public API as its sources say it: each public function with its
-- docstring, in the order of the manual.
local docstrings = require "docs.site.docstrings"
local manual = require "docs.site.manual"
local public = require "docs.site.public"

local api = {}

local function key(file, line)
    return file .. ":" .. line
end

-- The docstrings by place, and by the last word of their name.
local function index(items)
    local by = { place = {}, word = {}, name = {}, modules = {} }
    for _, item in ipairs(items) do
        if item.kind == "function" then
            by.place[key(item.file, item.line)] = item
            local word = item.name:match "[%w_]+$"
            by.word[word] = by.word[word] or {}
            table.insert(by.word[word], item)
            by.name[item.name] = by.name[item.name] or item
        elseif item.kind == "table" then
            by.name[item.name] = item
        else
            by.modules[item.name] = item
        end
    end
    return by
end

-- Of a function written in Lua: that of its first line.
local function by_place(by, value)
    local info = type(value) == "function" and debug.getinfo(value, "S")
    local file = info and info.source:match "(lua/quoll/.*)$"
    return file and by.place[key(file, info.linedefined)]
end

-- The classes whose methods an object has too.
local function by_class(by, class, word)
    return by.name[class .. ":" .. word] or by.name["Handle:" .. word]
end

-- "quoll.fs.stat": the function stat of quoll.fs or of a module below it, when
-- it is the only one; HTTP's are those of the part that has them.
local function by_module(by, prefix, word)
    local part = prefix == "quoll.http"
        and getmetatable(require "quoll.http").parts[word]
    local module = part and prefix .. "." .. part or prefix
    local found = {}
    for _, item in ipairs(by.word[word] or {}) do
        local below = not part and item.module:sub(1, #prefix + 1)
            == prefix .. "."
        if (item.module == module or below) and not item.name:find ":" then
            found[#found + 1] = item
        end
    end
    if not found[1] and module == "quoll.http.client" then
        return by.name["Client:" .. word]
    end
    return #found == 1 and found[1] or nil
end

-- "quoll._VERSION", "res.status": of the fields of a module or a class.
local function field(by, prefix, word)
    local class = public.classes[prefix]
    local owner = by.name[class and class[1] or prefix]
    for _, one in ipairs(owner and owner.params or {}) do
        if one.name == word then
            return { kind = "field", name = word, type = one.type,
                text = one.text, module = owner.module, file = owner.file,
                line = owner.line, params = {}, returns = {} }
        end
    end
end

local function docstring(by, name, value)
    local prefix, sign, word = name:match "^(.*)([.:])([%w_]+)$"
    local item = by_place(by, value)
    if item then
        return item
    elseif sign == ":" then
        return by_class(by, public.classes[prefix][1], word)
    elseif type(value) ~= "function" then
        return field(by, prefix, word)
    end
    return by_module(by, prefix, word)
end

-- What a docstring's function takes, with what can be left out: a parameter in
-- front of one that is needed cannot.
function api.parameters(item)
    local out, must = {}, false
    for i = #item.params, 1, -1 do
        local param = item.params[i]
        must = must or not param.optional and param.name ~= "..."
        out[i] = { name = param.name, optional = param.optional and not must }
    end
    return out
end

-- { entries = { { name =, item = (its docstring), manual = (its entry) } },
--   classes = , modules =, warnings = }; what has no docstring has no item.
function api.read(root)
    local items, warnings = docstrings.read(root)
    local by = index(items)
    local names, entries = public.names(), {}
    for _, entry in ipairs(manual.read(root)) do
        if names[entry.name] ~= nil then
            entries[#entries + 1] = { name = entry.name, manual = entry,
                value = names[entry.name],
                item = docstring(by, entry.name, names[entry.name]) }
        end
    end
    return { entries = entries, by = by, warnings = warnings }
end

return api
