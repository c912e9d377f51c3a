-- lua.lua NAME SECONDS [SEED]: the fuzz target fuzz/lua/NAME.lua, a function
-- of one input that raises when something is wrong, fed for so many seconds
-- with what a seeded generator makes of the inputs in fuzz/corpus/NAME and of
-- the words that the target has. An input that fails is left in
-- build-fuzz/found.
local name, seconds, seed = arg[1], tonumber(arg[2]), tonumber(arg[3])

local quoll = dofile "quoll.lua"
local target = dofile("fuzz/lua/" .. name .. ".lua")

local MAX = 2048  -- bytes of an input
local KEPT = 500  -- inputs made, that others are made of
local LARGE = 2 ^ 15 -- bytes of one that is blown up
local SLOW = 0.5 -- s that it may take

seed = seed or quoll.time() * 1000 % 2 ^ 31
math.randomseed(seed)
local random = math.random

local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
end

local function corpus()
    local inputs = {}
    local list = assert(io.popen("ls fuzz/corpus/" .. name .. "/*"))
    for path in list:lines() do
        inputs[#inputs + 1] = read(path)
    end
    list:close()
    return assert(inputs[1] and inputs, "no corpus of " .. name)
end

local inputs = corpus()
local first = #inputs
local words = target.words

-- Some stretch of the text: from, to.
local function stretch(text)
    local from = random(#text + 1)
    return from, math.min(#text, from + random(0, 12) - 1)
end

local changes = {
    function(text)
        local at = random(#text + 1)
        return text:sub(1, at - 1) .. string.char(random(0, 255))
            .. text:sub(at + 1)
    end,
    function(text)
        local at = random(#text + 1)
        return text:sub(1, at - 1) .. words[random(#words)] .. text:sub(at)
    end,
    function(text)
        local from, to = stretch(text)
        return text:sub(1, from - 1) .. text:sub(to + 1)
    end,
    function(text)
        local from, to = stretch(text)
        return text:sub(1, to) .. text:sub(from, to):rep(random(8))
            .. text:sub(to + 1)
    end,
    function(text)
        return text:sub(1, random(#text + 1) - 1)
    end,
    function(text)
        local other = inputs[random(#inputs)]
        return text:sub(1, random(#text + 1)) .. other:sub(random(#other + 1))
    end,
}

local function make()
    local text = inputs[random(#inputs)]
    for _ = 1, random(4) do
        text = changes[random(#changes)](text)
    end
    text = text:sub(1, MAX)
    if random(20) == 1 then
        inputs[#inputs < first + KEPT and #inputs + 1
            or first + random(KEPT)] = text
    end
    return text
end

local function fail(text, err)
    os.execute "mkdir -p build-fuzz/found"
    local path = ("build-fuzz/found/%s-%d"):format(name, seed)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    io.stderr:write(("FAIL fuzz %s: %s\nseed %d, the input is in %s\n")
        :format(name, err, seed, path))
    os.exit(1)
end

local function try(text)
    local ok, err = xpcall(target.try, debug.traceback, text)
    if not ok then
        fail(text, err)
    end
end

-- Some stretch of an input, over and over: the time it takes must not be by the
-- square of its size.
local function blow_up()
    local text = make()
    local from, to = stretch(text)
    local many = text:sub(from, math.max(from, to))
    many = many:rep(math.ceil(LARGE / math.max(1, #many))):sub(1, LARGE)
    text = text:sub(1, from - 1) .. many .. text:sub(to + 1)
    local start = os.clock()
    try(text)
    if os.clock() - start > SLOW then
        fail(text, "slow")
    end
end

local count, stop = 0, quoll.now() + seconds
for i = 1, first do
    try(inputs[i])
end
repeat
    for _ = 1, 100 do
        try(make())
    end
    blow_up()
    count = count + 100
until quoll.now() >= stop
print(("ok   fuzz %s: %d inputs in %g s"):format(name, count, seconds))
