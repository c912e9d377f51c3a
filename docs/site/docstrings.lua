-- docstrings.lua: what the comments of lua/quoll say, as plain tables. LDoc
-- parses them; its --filter calls filter() in a process of its own.
local docstrings = {}

-- What this module's filter prints and read() reads.
local function write(value, out)
    if type(value) == "table" then
        out[#out + 1] = "{"
        for key, inner in pairs(value) do
            out[#out + 1] = type(key) == "number" and "[" .. key .. "]="
                or ("[%q]="):format(key)
            write(inner, out)
            out[#out + 1] = ","
        end
        out[#out + 1] = "}"
    else
        out[#out + 1] = type(value) == "string" and ("%q"):format(value)
            or tostring(value)
    end
    return out
end

-- "@tparam[opt=5] int n", "@tparam ?int n", a type without a name.
local function typed(modifiers)
    local given, optional = modifiers.type, modifiers.optchain or modifiers.opt
    local default = type(optional) == "string" and optional or nil
    if given and given:find "^%?" then
        given, optional = given:sub(2):gsub("^|", ""), true
    end
    return given, optional and true or false, default
end

local function trimmed(text)
    return text and (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

local function param(item, name)
    local modifiers = rawget(item.modifiers[item.parameter], name) or {}
    local given, optional, default = typed(modifiers)
    return {
        name = name, type = given, optional = optional, default = default,
        text = trimmed(item.params.map[name]),
    }
end

local function params(item)
    local found = {}
    for _, name in ipairs(item.params or {}) do
        local made = param(item, name)
        for _, field in ipairs(item.subparams[name] or {}) do
            made.fields = made.fields or {}
            local inner = param(item, field)
            inner.name = field:match "%.(.+)$"
            made.fields[#made.fields + 1] = inner
        end
        found[#found + 1] = made
    end
    return found
end

local function returns(item)
    local groups = {}
    for _, group in ipairs(item.retgroups or {}) do
        local made = {}
        for _, value in ipairs(group) do
            local given, optional = typed { type = value.type ~= ""
                and value.type or nil }
            made[#made + 1] = { type = given, optional = optional,
                text = trimmed(value.text) }
        end
        groups[#groups + 1] = made
    end
    return groups
end

-- LDoc's modules -> a chunk of Lua on stdout: a list of what has a docstring.
function docstrings.filter(modules)
    local items = {}
    for _, module in ipairs(modules) do
        for _, item in ipairs(module.items) do
            items[#items + 1] = {
                module = module.name, kind = item.type, name = item.name,
                file = module.file, line = item.lineno,
                text = trimmed((item.summary or "")
                    .. (item.description or "")),
                params = params(item), returns = returns(item),
                raises = item.raise and table.concat(item.raise, " ") or nil,
            }
        end
        items[#items + 1] = { module = module.name, kind = "module",
            name = module.name,
            text = trimmed((module.summary or "")
                .. (module.description or "")) }
    end
    print("return " .. table.concat(write(items, {})))
end

-- The list, and what LDoc found wrong, line by line; paths relative to root.
function docstrings.read(root)
    local errors = os.tmpname()
    local pipe = assert(io.popen(("cd %s && LUA_INIT= LUA_PATH='./?.lua;;' "
        .. "ldoc --filter docs.site.docstrings.filter lua 2>%s"):format(root,
        errors)))
    local text = pipe:read "*a"
    pipe:close()
    local warnings = {}
    for line in io.lines(errors) do
        warnings[#warnings + 1] = line:match "(lua/quoll.*)$" or line
    end
    os.remove(errors)
    local chunk = loadstring(text, "=ldoc")
    if not chunk then
        error("ldoc: " .. text .. table.concat(warnings, "\n"), 0)
    end
    local items = chunk()
    for _, item in ipairs(items) do
        item.file = item.file and item.file:match "(lua/quoll.*)$"
    end
    return items, warnings
end

return docstrings
