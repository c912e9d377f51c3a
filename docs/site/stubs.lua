-- stubs.lua: the public API as LuaCATS annotations, for editors: the docstrings
-- and the options that functions check at run time, in the form of Lua code
-- that does nothing.
local known = require "docs.site.known"
local public = require "docs.site.public"
local types = require "docs.site.types"

local stubs = {}

local function flat(text)
    return ((text or ""):gsub("%s*\n%s*", " "):gsub("^%s+", ""))
end

local function comment(text, out)
    for line in ((text or "") .. "\n"):gmatch " ?([^\n]*)\n" do
        out[#out + 1] = ("---" .. line):gsub("%s+$", "")
    end
end

-- A class for the options of a function, "quoll.connect.options".
local function options_class(entry, options, at, out)
    local name = entry.name:gsub(":", ".")
    local prefix, word = name:match "^(.*)%.([%w_]+)$"
    local class = public.classes[prefix]
    name = (class and "quoll." .. class[1] or prefix) .. "." .. word
        .. ".options"
    local text = entry.item.params[at].text or ""
    local more = text:match "the options of `([%w_.]+)`"
    out[#out + 1] = "---@class " .. name
        .. (more and ": " .. more .. ".options" or "")
    for _, option in ipairs(options) do
        out[#out + 1] = (("---@field %s? %s %s"):format(option.name,
            option.type, option.text):gsub("%s+$", ""))
    end
    out[#out + 1] = ""
    return name
end

local function parameters(entry, options, out)
    local names = {}
    for _, param in ipairs(entry.item.params) do
        names[#names + 1] = param.name
        local given = types.luacats(param.type)
        if param.name == "opts" and options then
            given = given:gsub("%f[%w]table%f[%W]", options)
        end
        out[#out + 1] = (("---@param %s%s %s %s"):format(param.name,
            param.optional and param.name ~= "..." and "?" or "", given,
            flat(param.text)):gsub("%s+$", ""))
    end
    return table.concat(names, ", ")
end

-- What a failure's results are called.
local failures = { [3] = { "", "err", "CODE" },
    [4] = { "", "err", "partial", "CODE" } }

local function is_failure(group)
    return group[1].type == "nil" and failures[#group]
end

-- The types that one result has in the groups, as "string?".
local function union(groups, i)
    local seen, list, missing = {}, {}, false
    for _, group in ipairs(groups) do
        local value = group[i]
        missing = missing or not value or value.optional or value.type == "nil"
        for part in (value and value.type ~= "nil"
            and types.luacats(value.type) or ""):gmatch "[^|]+" do
            if not seen[part] then
                seen[part] = true
                list[#list + 1] = part
            end
        end
    end
    local text = list[1] and table.concat(list, "|") or "nil"
    return missing and text ~= "nil" and text ~= "any"
        and (list[2] and "(" .. text .. ")" or text) .. "?" or text
end

-- What is said of a result beside its name.
local function bare(value, name)
    local text = flat(value and value.text)
    if name and name ~= "" and text:sub(1, #name) == name then
        text = text:sub(#name + 1):gsub("^[%s:;,]+", "")
    end
    return text
end

-- The name of result i, when only failures have one, and what is said of it.
local function about(groups, i)
    local texts, name, named = {}, nil, true
    for _, group in ipairs(groups) do
        local names = is_failure(group)
        named = named and (names or not group[i])
        name = name or names and names[i]
        local text = bare(group[i], names and names[i])
        if text ~= "" then
            texts[#texts + 1] = text
        end
    end
    return named and name or "", table.concat(texts, "; or: ")
end

-- One line a result: its type in all cases, and what it is.
local function returns(item, out)
    local groups, most = item.returns, 0
    for _, group in ipairs(groups) do
        most = math.max(most, #group)
    end
    for i = 1, most do
        local name, text = about(groups, i)
        if text:find "^%.%.%." then -- all the rest
            out[#out + 1] = "---@return any " .. text:gsub("; or: .*", "")
            return
        end
        out[#out + 1] = (("---@return %s %s# %s"):format(union(groups, i),
            name ~= "" and name .. " " or "", text):gsub("[%s#]+$", ""))
    end
end

-- function quoll.connect(address, opts) end, with all that is said of it.
local function write_function(entry, target, sign, out)
    local options, at = known.list(entry)
    options = options and options_class(entry, options, at, out)
    comment(entry.item.text, out)
    local names = parameters(entry, options, out)
    returns(entry.item, out)
    out[#out + 1] = ("function %s%s%s(%s) end\n"):format(target, sign,
        entry.name:match "[%w_]+$", names)
end

local function fields(item, out)
    for _, field in ipairs(item and item.params or {}) do
        out[#out + 1] = (("---@field %s%s %s %s"):format(field.name,
            field.optional and "?" or "", types.luacats(field.type),
            flat(field.text)):gsub("%s+$", ""))
    end
end

local iterators = { Iterator = true, Directory = true, Watch = true }

-- A class of handles has what every handle has.
local function parent(api, name)
    for _, entry in ipairs(api.entries) do
        if entry.name:match "^[^:]+:(.*)$" == "own"
            and public.classes[entry.name:match "^[^:]+"][1] == name
        then
            return ": quoll.Handle"
        end
    end
    return ""
end

local function open_class(api, name, out)
    local item = api.by.name[name]
    if item then
        comment(item.text, out)
    end
    out[#out + 1] = ("---@class quoll.%s%s"):format(name, parent(api, name))
    fields(item, out)
    if iterators[name] then
        out[#out + 1] = "---@operator call: any"
    end
    out[#out + 1] = ("local %s = {}\n"):format(name)
end

local function open_module(api, prefix, out)
    local item = api.by.modules[prefix]
    comment(item and item.text, out)
    out[#out + 1] = "---@class " .. prefix
    fields(api.by.name[prefix], out)
    out[#out + 1] = (prefix:find("%.") and "" or "local ") .. prefix
        .. " = {}\n"
end

-- Handle and Iterator are nobody's in the manual.
local function bases(api, out)
    open_class(api, "Handle", out)
    for _, word in ipairs { "close", "own", "disown" } do
        write_function({ name = "Handle:" .. word,
            item = api.by.name["Handle:" .. word] }, "Handle", ":", out)
    end
    open_class(api, "Iterator", out)
    write_function({ name = "Iterator:close",
        item = api.by.name["Iterator:close"] }, "Iterator", ":", out)
end

local function entries_of(api, out, wanted)
    local opened = {}
    for _, entry in ipairs(api.entries) do
        local prefix, sign = entry.name:match "^(.*)([.:])[%w_]+$"
        local class = public.classes[prefix]
        local target = class and class[1] or prefix
        if wanted(prefix) and not opened[target] then
            opened[target] = true
            if class then
                open_class(api, target, out)
            else
                open_module(api, prefix, out)
            end
        end
        if wanted(prefix) and entry.item.kind == "function" then
            write_function(entry, target, sign, out)
        end
    end
end

-- Path -> text: "quoll.lua" for require "quoll", ...
function stubs.files(api, version)
    local head = ("---@meta %s\n-- quoll %s. Made from its docstrings.\n\n")
    local quoll, busted = {}, {}
    bases(api, quoll)
    entries_of(api, quoll, function(prefix)
        return prefix ~= "busted"
    end)
    entries_of(api, busted, function(prefix)
        return prefix == "busted"
    end)
    return {
        ["config.json"] = '{ "name": "quoll", "words": ["quoll"],\n'
            .. '  "settings": { "Lua.runtime.version": "LuaJIT" } }\n',
        ["library/quoll.lua"] = head:format("quoll", version)
            .. table.concat(quoll, "\n") .. "\nreturn quoll\n",
        ["library/quoll/busted.lua"] = head:format("quoll.busted", version)
            .. table.concat(busted, "\n") .. "\nreturn busted\n",
    }
end

return stubs
