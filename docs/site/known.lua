-- known.lua: the options that functions take, as they check them at run time:
-- each is called until it asks quoll.options, and never further.
local manual = require "docs.site.manual"
local options = require "quoll.options"
local public = require "docs.site.public"

local known = {}

-- Something that a parameter of this type may be; its value is never used.
local samples = {
    string = "127.0.0.1:0", int = 3, number = 1, table = {}, any = "x",
    func = function() end, ["function"] = function() end,
    ["{string,...}"] = { "x" },
}

local function sample(param)
    if param.optional then
        return nil
    end
    local first = param.type and (param.type:match "^{.-}" or param.type
        :match "^[^|]+")
    return samples[first]
end

local function self_of(name)
    local class = public.classes[name:match "^[^:]+"][1]:lower()
    return setmetatable({}, { __metatable = class, __index = function()
        return function() return 0 end
    end })
end

-- The place of the options among a function's parameters.
local function place(params)
    for i, param in ipairs(params) do
        if param.name == "opts" then
            return i
        end
    end
end

-- The table that a function checks its options with, nil when it did not come
-- to that; and their place, nil when there are none.
function known.of(entry)
    local params = entry.item and entry.item.params or {}
    local at = place(params)
    if not at or not entry.value then
        return nil, nil
    end
    local args, n, found = {}, 0, nil
    if entry.name:find ":" then
        args[1], n = self_of(entry.name), 1
    end
    for i, param in ipairs(params) do
        args[n + i] = i == at and {} or sample(param)
    end
    local check = options.check
    options.check = function(_, of)
        found = of
        error "enough"
    end
    local co = coroutine.create(entry.value)
    pcall(coroutine.resume, co, unpack(args, 1, n + #params))
    options.check = check
    return found, at
end

local option_types = { boolean = "boolean", number = "number",
    string = "string", ["function"] = "function", table = "table",
    [true] = "any" }

-- "`timeout`: seconds for all of it; ..." -> what a docstring says of one.
local function said_of(option, text)
    return text:match("`" .. option .. "`[^`:;]*:%s*([^;]*)")
end

-- The options as { { name =, type =, text = } }, by name, and their place among
-- the parameters; nil: there are none.
function known.list(entry)
    local found, at = known.of(entry)
    if not found or not next(found) then
        return nil
    end
    local text = (entry.item.params[at].text or ""):gsub("%s*\n%s*", " ")
    local list = {}
    for name, kind in pairs(found) do
        list[#list + 1] = { name = name, type = option_types[kind],
            text = said_of(name, text)
                or manual.option(entry.manual, name) }
    end
    table.sort(list, function(a, b)
        return a.name < b.name
    end)
    return list, at
end

return known
