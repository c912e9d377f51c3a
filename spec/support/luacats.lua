-- luacats.lua: reads annotations as a language server does (LuaLS, its page
-- "Annotations"), and says what it would not understand. No such server is in
-- Debian.
local luacats = {}

local BUILT_IN = { "nil", "any", "boolean", "string", "number", "integer",
    "function", "table", "thread", "userdata", "lightuserdata", "self",
    "unknown", "true", "false",
    -- of LuaJIT, where config.json says that it runs
    "ffi.cdata*", "string.buffer" }

-- Types: an expression at `at` of text; returns where it ends. Raises.
local Types = {}
Types.__index = Types

function Types:fail(what)
    error(("%s at '%s'"):format(what, self.text:sub(self.at)), 0)
end

-- Takes the pattern, anchored; nil: it is not there.
function Types:take(pattern)
    local from, to, found = self.text:find("^%s*(" .. pattern .. ")", self.at)
    if from then
        self.at = to + 1
        return found
    end
end

function Types:expect(pattern)
    return self:take(pattern) or self:fail("no " .. pattern:gsub("%%", ""))
end

function Types:list(close, one)
    if not self:take(close) then
        repeat
            one(self)
        until not self:take ","
        self:expect(close)
    end
end

-- fun(a: T, b?: T, ...: T): T, T
function Types:callable()
    self:list("%)", function()
        self:expect "[%w_.]+"
        self:take "%?"
        if self:take ":" then
            self:union()
        end
    end)
    if self:take ":" then
        self:union()
    end
end

function Types:field()
    if self:take "%[" then
        self:union()
        self:expect "%]"
    else
        self:expect "[%a_][%w_]*"
        self:take "%?"
    end
    self:expect ":"
    self:union()
end

function Types:primary()
    if self:take "%(" then
        self:union()
        self:expect "%)"
    elseif self:take "fun%(" then
        self:callable()
    elseif self:take "{" then
        self:list("}", self.field)
    elseif not self:take '"[^"]*"' and not self:take "%-?%d+" then
        local name = self:take "[%a_][%w_.]*%*?" or self:fail "no type"
        if not self.known[name] then
            self:fail("unknown type " .. name)
        end
        if self:take "<" then
            self:list(">", self.union)
        end
    end
    while self:take "%[%]" or self:take "%?" do end
end

function Types:union()
    repeat
        self:primary()
    until not self:take "|"
end

-- Where the type that begins at `at` ends.
local function type_end(text, at, known)
    local types = setmetatable({ text = text, at = at, known = known }, Types)
    types:union()
    return types.at
end

-- What each tag is followed by; of returns what it declares.
local Tags = {}

-- After a type there is nothing, or a blank and words.
local function ends(text, at)
    if at <= #text and not text:find("^%s", at) then
        error("no blank behind the type at '" .. text:sub(at) .. "'", 0)
    end
end

function Tags.param(text, known)
    local name, at = text:match "^([%w_.]+)%??%s+()"
    if not name or not (name == "..." or name:find "^[%a_][%w_]*$") then
        error("no name of a parameter: " .. text, 0)
    end
    ends(text, type_end(text, at, known))
    return name
end

function Tags.field(text, known)
    local name, at = text:match "^([%a_][%w_]*)%??%s+()"
    ends(text, type_end(text, at or error("no name: " .. text, 0), known))
    return name
end

Tags["return"] = function(text, known)
    local at = type_end(text, 1, known)
    ends(text, at)
    local rest = text:sub(at):match "^%s*(.*)"
    if rest ~= "" and not rest:find "^#" and not rest:find "^[%a_][%w_]*%s+#"
        and not rest:find "^[%a_][%w_]*$" and not rest:find "^%.%.%." then
        error("neither a name nor a comment: " .. rest, 0)
    end
end

Tags["class"] = function(text, known)
    local at = text:match "^[%a_][%w_.]*()" or error("no name: " .. text, 0)
    local parents = text:match("^%s*:%s*()", at)
    if parents then
        at = type_end(text, parents, known)
    end
    if text:sub(at) ~= "" then
        error("more than a class: " .. text, 0)
    end
end

function Tags.operator(text, known)
    ends(text, type_end(text, text:match "^%l+:%s*()"
        or error("no operator: " .. text, 0), known))
end

function Tags.meta() end

-- The parameters of a declaration, "a, b": a list; nil: it declares none.
local function formal(line)
    local list = line:match "^function [%w_.:]+%((.-)%) end$"
    local names = {}
    for name in (list or ""):gmatch "[^,%s]+" do
        names[#names + 1] = name
    end
    return list and names
end

-- What is wrong with one line of annotations; what it declares goes to block.
local function tag(line, known, block)
    local name, text = line:match "^%-%-%-@(%l+)%s*(.-)$"
    if not Tags[name] then
        return "unknown tag: " .. line
    end
    local ok, found = pcall(Tags[name], text, known)
    if not ok then
        return found .. " in: " .. line
    end
    block[name] = block[name] or {}
    table.insert(block[name], found or true)
end

-- What is wrong with the annotations above a line of code.
local function mismatch(block, line)
    local names = formal(line)
    if (block.param or block["return"]) and not names then
        return "annotates no function: " .. line
    elseif names and table.concat(block.param or {}, " ")
        ~= table.concat(names, " ")
    then
        return "other parameters than " .. line
    elseif block.field and not block["class"] then
        return "fields of no class: " .. line
    end
end

-- The names that texts, a list, declare, with those that are built in.
function luacats.known(texts)
    local known = {}
    for _, name in ipairs(BUILT_IN) do
        known[name] = true
    end
    for _, text in ipairs(texts) do
        for name in text:gmatch "%-%-%-@class ([%w_.]+)" do
            known[name] = true
        end
    end
    return known
end

-- What is wrong with text: a list of messages.
function luacats.errors(text, known)
    local wrong, block = {}, {}
    if not loadstring(text) then
        return { (select(2, loadstring(text))) }
    end
    for line in text:gmatch "([^\n]*)\n" do
        if line:find "^%-%-%-@" then
            wrong[#wrong + 1] = tag(line, known, block)
        elseif not line:find "^%-%-" then
            wrong[#wrong + 1] = mismatch(block, line)
            block = {}
        end
    end
    return wrong
end

return luacats
