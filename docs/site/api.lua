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

-- "quoll.fs.stat": the function stat of quoll.fs; HTTP's are those of the part
-- that has them.
local function by_module(by, prefix, word)
    local part = prefix == "quoll.http"
        and getmetatable(require "quoll.http").parts[word]
    local module = part and prefix .. "." .. part or prefix
    for _, item in ipairs(by.word[word] or {}) do
        if item.module == module and not item.name:find ":" then
            return item
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
    end
    return by_module(by, prefix, word)
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
                item = docstring(by, entry.name, names[entry.name]) }
        end
    end
    return { entries = entries, by = by, warnings = warnings }
end

return api
