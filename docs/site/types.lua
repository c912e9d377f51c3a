-- types.lua: the types of docstrings as LuaCATS has them.
local public = require "docs.site.public"

local types = {}

local plain = {
    any = "any", bool = "boolean", boolean = "boolean", cdata = "ffi.cdata*",
    buffer = "string.buffer", ["false"] = "false", ["function"] = "function",
    func = "function", int = "integer", ["nil"] = "nil", number = "number",
    self = "self", string = "string", tab = "table", table = "table",
    thread = "thread",
}

-- Iterators are called by `for`, and have close().
local classes = { Handle = true, Iterator = true }
for _, class in pairs(public.classes) do
    classes[class[1]] = true
end

-- A type that nothing is known of is nil.
local function one(text)
    local element = text:match "^{(.*),%.%.%.}$"
    if element then
        local inner = types.luacats(element)
        return inner and (inner:find("|", 1, true) and "(" .. inner .. ")"
            or inner) .. "[]"
    elseif classes[text] then
        return "quoll." .. text
    end
    return plain[text]
end

-- "string|{int,...}" -> "string|integer[]"; nil, and the part that is unknown.
function types.luacats(text)
    local out = {}
    local hidden = text:gsub("%b{}", function(inner)
        return (inner:gsub("|", "\1"))
    end)
    for part in hidden:gmatch "[^|]+" do
        part = part:gsub("\1", "|")
        local known = one(part)
        if not known then
            return nil, part
        end
        out[#out + 1] = known
    end
    return table.concat(out, "|")
end

return types
