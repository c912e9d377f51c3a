-- lua_reference.lua: the pages of the Lua reference, as Markdown, from the
-- docstrings.
local api = require "docs.site.api"
local known = require "docs.site.known"
local public = require "docs.site.public"

local reference = {}

-- A docstring is plain text: only `code` is more.
local function words(text)
    local out, code = {}, false
    for part, tick in ((text or "") .. "\n"):gmatch "([^`]*)(`?)" do
        out[#out + 1] = code and part
            or part:gsub("[*_<%[|#~]", "\\%0")
        out[#out + 1] = tick
        if tick ~= "" then
            code = not code
        end
    end
    return (table.concat(out):gsub("%s+$", ""))
end

local function cell(text)
    return (words(text):gsub("%s*\n%s*", " "))
end

local function type_cell(given)
    if not given then
        return ""
    end
    return "`" .. given:gsub("|", "\\|") .. "`"
end

-- "conn:send(data[, n])"
function reference.signature(entry)
    if not entry.manual.params then
        return entry.name
    end
    local out, open = {}, 0
    local params = entry.item and api.parameters(entry.item)
        or entry.manual.params
    for i, param in ipairs(params) do
        local comma = i > 1 and ", " or ""
        if param.optional and param.name ~= "..." then
            out[#out + 1] = "[" .. comma .. param.name
            open = open + 1
        else
            out[#out + 1] = ("]"):rep(open) .. comma .. param.name
            open = 0
        end
    end
    return entry.name .. "(" .. table.concat(out) .. ("]"):rep(open) .. ")"
end

-- missing: what it means that a value need not be there.
local function described(param, missing)
    local more = param.default and "default `" .. param.default .. "`"
        or param.optional and missing
    local text = cell(param.text)
    return more and (text == "" and more or text .. "; " .. more) or text
end

-- The words of the options as a whole, unless each has its own.
local function of_options(param, options)
    for _, option in ipairs(options) do
        if option.text == "" then
            return param
        end
    end
    return { optional = param.optional }
end

local function parameters(entry, out)
    if not entry.item.params[1] then
        return
    end
    local options = known.list(entry)
    out[#out + 1] = "\n| parameter | type | |\n|---|---|---|"
    for _, param in ipairs(entry.item.params) do
        local opts = param.name == "opts" and options
        out[#out + 1] = ("| `%s` | %s | %s |"):format(param.name,
            type_cell(param.type), described(opts and of_options(param, opts)
                or param, "optional"))
        for _, option in ipairs(opts or {}) do
            out[#out + 1] = ("| `.%s` | %s | %s |"):format(option.name,
                type_cell(option.type), cell(option.text))
        end
    end
end

local function returns(item, out)
    if not item.returns[1] then
        return
    end
    out[#out + 1] = "\n| returns | | |\n|---|---|---|"
    for i, group in ipairs(item.returns) do
        for j, value in ipairs(group) do
            out[#out + 1] = ("| %s | %s | %s |"):format(
                j > 1 and "" or i > 1 and "or" or "", type_cell(value.type),
                described(value, "may be nil"))
        end
    end
end

local function entry_text(entry, out)
    local word = entry.name:match "[%w_]+$"
    out[#out + 1] = ("\n## `%s` {#%s}\n"):format(reference.signature(entry),
        word)
    local item = entry.item
    if item then
        out[#out + 1] = words(item.text)
        if item.kind == "function" then
            parameters(entry, out)
            returns(item, out)
        end
    end
    out[#out + 1] = ("\n<p class=\"where\">%s<a href=\"../../docs/API.md#%s\">"
        .. "manual</a>%s</p>"):format(
        entry.manual.waits and "waits · " or "", entry.name,
        item and item.line and (' · <a href="../../%s#L%d">source</a>'):format(
            item.file, item.line) or "")
end

local function fields(class, out)
    if class.params and class.params[1] then
        out[#out + 1] = "\n| field | type | |\n|---|---|---|"
        for _, field in ipairs(class.params) do
            out[#out + 1] = ("| `%s` | %s | %s |"):format(field.name,
                type_cell(field.type), described(field, "may be nil"))
        end
    end
end

-- What a class is: its own docstring, or that of the module it is made in.
local function class_item(found, class, entry)
    return found.by.name[class] or entry.item
        and found.by.modules[entry.item.module]
end

local function head(found, entry, out)
    local prefix = entry.name:match "^(.*)[.:][%w_]+$"
    local class = public.classes[prefix]
    if class then
        local item = class_item(found, class[1], entry)
        out[#out + 1] = ("# %s"):format(class[1])
        if item then
            out[#out + 1] = "\n" .. words(item.text)
            fields(item, out)
        end
        return class[1]
    end
    local item = found.by.modules[prefix == "busted" and "quoll.busted"
        or prefix]
    out[#out + 1] = ("# %s"):format(prefix)
    out[#out + 1] = "\n" .. words(item and item.text)
    return prefix
end

-- "conn:send" -> "reference/lua/connection.html", "send"
function reference.place(name)
    local prefix, word = name:match "^(.*)[.:]([%w_]+)$"
    local class = public.classes[prefix]
    local page = class and class[1]:lower() or prefix
    return ("reference/lua/%s.html"):format(page), word
end

-- A list of { out =, text =, title = }; modules first, then classes.
function reference.pages(found)
    local pages, by = {}, {}
    for _, entry in ipairs(found.entries) do
        local prefix = entry.name:match "^(.*)[.:][%w_]+$"
        local page = by[prefix]
        if not page then
            page = { out = reference.place(entry.name), lines = {},
                source = "reference/lua/" .. prefix .. ".md",
                class = public.classes[prefix] ~= nil, words = true }
            page.title = head(found, entry, page.lines)
            by[prefix] = page
            pages[#pages + 1] = page
        end
        entry_text(entry, page.lines)
    end
    for i, page in ipairs(pages) do
        page.text, page.order = table.concat(page.lines, "\n"), i
    end
    table.sort(pages, function(a, b)
        if a.class ~= b.class then
            return b.class
        elseif a.class then
            return a.title < b.title
        end
        return a.order < b.order
    end)
    return pages
end

return reference
