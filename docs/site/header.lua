-- header.lua: what a public header of C declares: sections, and in them each
-- declaration with the comment that stands before it. Relies on clang-format:
-- what is declared begins in the first column.
local header = {}

local hidden = { QUOLL_H = true, QUOLL_LUA_H = true, QL_API = true,
    QL_PRINTF = true, QL_COLD = true }

-- The text of a comment, its stars taken off.
local function words(lines)
    local text = table.concat(lines, "\n"):gsub("^/%*%s?", "")
        :gsub("%s*%*/%s*$", "")
    return (("\n" .. text):gsub("\n %* ?", "\n"):gsub("^%s*\n", "")
        :gsub("^ +", ""))
end

-- Lines from i on up to the end of what begins there.
local function gather(lines, i)
    local depth, taken = 0, {}
    local macro = lines[i]:find "^#"
    while lines[i] do
        local line = lines[i]
        taken[#taken + 1] = line
        local bare = line:gsub("/%*.-%*/", ""):gsub("/%*.*$", "")
            :gsub("^ +%*.*", "")
        for brace in bare:gmatch "[{}()]" do
            depth = depth + ((brace == "{" or brace == "(") and 1 or -1)
        end
        if macro then
            if not line:find "\\$" then
                break
            end
        elseif depth == 0 and (bare:find ";%s*$" or bare:find "^}") then
            break
        end
        i = i + 1
    end
    return taken, i
end

local function named(text)
    local macro = text:match "^#define ([%w_]+)"
    if macro then
        return macro, "macro"
    end
    local flat = text:gsub("/%*.-%*/", " "):gsub("%s+", " ")
    local pointer = not flat:find "^typedef struct"
        and flat:match "^typedef .-%(%*([%w_]+)%)%("
    if pointer then
        return pointer, "type"
    elseif flat:find "^typedef struct [%w_]+ [%w_]+;" then
        return flat:match "([%w_]+);", "opaque"
    elseif flat:find "^enum " then
        return flat:match "^enum ([%w_]+)" or flat:match "{ ([%w_]+)", "enum"
    elseif flat:find "^typedef " then
        return flat:match "([%w_]+);$", "type"
    elseif flat:find "^struct [%w_]+ {" then
        return flat:match "^struct ([%w_]+)":gsub("_s$", "_t"), "type"
    end
    return flat:match "([%w_]+)%(", "function"
end

-- A body is no part of what is declared.
local function shown(lines, kind)
    local text = table.concat(lines, "\n")
    if kind == "function" then
        text = text:gsub("\n{.*$", ";")
        if lines[1]:find "^static inline" then
            text = text:gsub("\n", " ", 1)
        end
        text = text:gsub("^QL_API ", ""):gsub("%s+QL_COLD", "")
            :gsub("%s+QL_PRINTF%b()", "")
    end
    return text
end

-- A type that is only named here, and declared further down, needs no entry.
local function without_repeats(parsed)
    local declared = {}
    for _, section in ipairs(parsed.sections) do
        for _, entry in ipairs(section.entries) do
            declared[entry.name] = declared[entry.name]
                or entry.kind ~= "opaque"
        end
    end
    for _, section in ipairs(parsed.sections) do
        for i = #section.entries, 1, -1 do
            local entry = section.entries[i]
            if entry.kind == "opaque" and declared[entry.name] then
                table.remove(section.entries, i)
            end
        end
    end
    return parsed
end

local Parser = {}
Parser.__index = Parser

function Parser:section(name)
    self.into = { name = name, entries = {} }
    table.insert(self.parsed.sections, self.into)
end

function Parser:comment()
    local taken = {}
    repeat
        taken[#taken + 1] = self.lines[self.i]
        self.i = self.i + 1
    until taken[#taken]:find "%*/"
    self.i = self.i - 1
    self.pending, self.used = words(taken), false
end

-- A comment is about the declarations behind it, up to an empty line; one
-- about none is about the section, or the header.
function Parser:pause()
    local text = not self.used and self.pending
    self.pending = nil
    if text and not self.parsed.words then
        self.parsed.words = text
    elseif text then
        self.into.words = (self.into.words and self.into.words .. "\n\n"
            or "") .. text
    end
end

function Parser:declaration()
    local taken, last = gather(self.lines, self.i)
    local name, kind = named(table.concat(taken, "\n"))
    if name and not hidden[name] then
        table.insert(self.into.entries, { name = name, kind = kind,
            text = shown(taken, kind), words = self.pending, line = self.i })
    end
    self.used, self.i = true, last
end

function Parser:line(line)
    local title = line:match "^/%* %-+ (.-) %-+ %*/"
    if title then
        self:section(title)
    elseif line:find "^/%*" then
        self:comment()
    elseif line:find "^#define" or line:find "^%a"
        and not line:find '^extern "C"'
    then
        self:declaration()
    elseif line == "" or line:find "^#" then
        self:pause()
    end
    self.i = self.i + 1
end

-- { words = (of the head), sections = { { name =, words = , entries =
-- { { name =, kind =, text =, words =, line = } } } } }
function header.parse(text)
    local parser = setmetatable({ lines = {}, i = 1,
        parsed = { sections = {} } }, Parser)
    for line in text:gmatch "([^\n]*)\n" do
        parser.lines[#parser.lines + 1] = line
    end
    parser:section "general"
    while parser.lines[parser.i] do
        parser:line(parser.lines[parser.i])
    end
    return without_repeats(parser.parsed)
end

return header
