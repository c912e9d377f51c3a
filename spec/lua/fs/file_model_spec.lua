-- Random reads, writes, seeks, pwrites and truncates on our file and on io's:
-- the same results, positions and bytes. QUOLL_TEST_SEED=n makes other choices.
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local files = require "spec.support.files"
local shell = require "spec.support.shell"
local quoll = require "quoll"

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20221122
local STEPS = helper.sanitized and 300 or 1500
local LARGE = 600000 -- more than three parts of a write

local random = {}
random.__index = random

function random:upto(n)
    self.state = (self.state * 16807) % 2147483647
    return self.state % n + 1
end

-- Lengths of all orders of magnitude.
function random:length()
    local most = ({ 10, 300, 5000, 70000, LARGE })[self:upto(20) % 5 + 1]
    return self:upto(most) - 1
end

local letters = {}
for i = 1, 8191 do
    letters[i] = i * i % 61 == 0 and "\n" or string.char(97 + i * 7 % 26)
end
local text = table.concat(letters)

function random:bytes()
    local n, from = self:length(), self:upto(#text)
    return text:rep(math.ceil((from + n) / #text)):sub(from, from + n - 1)
end

-- io's own lines end at a zero byte.
local function io_line(theirs, keep)
    local at = theirs:seek()
    local rest = theirs:read "*a"
    local line = rest:match "^[^\n]*\n" or rest
    theirs:seek("set", at + #line)
    if line == "" then
        return nil
    end
    return keep and line or (line:gsub("\n$", ""))
end

local step = {}

function step.write(r, ours, theirs)
    local data = r:bytes()
    local pieces = r:upto(2) == 1 and data
        or { data:sub(1, 5), { data:sub(6, 60), data:sub(61) } }
    assert(ours:write(pieces) == ours)
    theirs:write(data)
end

function step.read(r, ours, theirs)
    local n = r:length()
    return ours:read(n), theirs:read(n)
end

function step.line(r, ours, theirs)
    local keep = r:upto(2) == 1
    return ours:read(keep and "*L" or "*l"), io_line(theirs, keep)
end

function step.all(r, ours, theirs)
    if r:upto(4) == 1 then
        return ours:read "*a", theirs:read "*a"
    end
end

function step.seek(r, ours, theirs)
    local offset = r:length() - (r:upto(2) - 1) * 2000
    local whence = ({ "set", "cur", "end" })[r:upto(3)]
    if offset < 0 or whence == "end" and r:upto(5) > 1 then
        whence, offset = "set", math.abs(offset)
    end
    return ours:seek(whence, offset), theirs:seek(whence, offset)
end

function step.pread(r, ours, theirs)
    local n, offset = r:length(), r:length()
    local at = theirs:seek()
    theirs:seek("set", offset)
    local expected = theirs:read(n)
    theirs:seek("set", at)
    local got = ours:pread(n, offset)
    return got, n == 0 and "" or expected
end

function step.pwrite(r, ours, theirs, world)
    if world.append then
        return
    end
    local data, offset = r:bytes(), r:length()
    assert(ours:pwrite(data, offset) == ours)
    local at = theirs:seek()
    theirs:seek("set", offset)
    theirs:write(data)
    theirs:seek("set", at)
end

function step.truncate(r, ours, _, world)
    local size = r:length()
    assert(ours:truncate(size))
    files.truncate(world.their_path, size)
end

function step.size(_, ours, theirs)
    local at = theirs:seek()
    local size = theirs:seek "end"
    theirs:seek("set", at)
    return ours:size(), size
end

local names = {}
for name in pairs(step) do
    names[#names + 1] = name
end
table.sort(names)

local function content(path)
    local file = assert(io.open(path, "rb"))
    local all = file:read "*a"
    file:close()
    return all
end

local function play(mode, seed, dir)
    local r = setmetatable({ state = seed }, random)
    local world = { append = mode:sub(1, 1) == "a",
        our_path = files.make(text, dir), their_path = files.make(text, dir) }
    local ours = assert(quoll.open(world.our_path, mode))
    local theirs = assert(io.open(world.their_path,
        (mode:gsub("d", "b"))))
    theirs:setvbuf "no"
    for i = 1, STEPS do
        local name = names[r:upto(#names)]
        theirs:seek("cur", 0) -- what C wants between reads and writes
        local got, expected = step[name](r, ours, theirs, world)
        local at, there = ours:seek(), theirs:seek()
        assert(got == expected and at == there, ("%s, seed %d, step %d: %s; "
            .. "%s and %s; at %s and %s"):format(mode, seed, i, name,
            type(got) == "string" and #got or tostring(got),
            type(expected) == "string" and #expected or tostring(expected),
            at, there))
    end
    ours:close()
    theirs:close()
    assert(content(world.our_path) == content(world.their_path))
    os.remove(world.our_path)
    os.remove(world.their_path)
end

describe("a file that is read and written at random", function()
    helper.gates()

    for _, mode in ipairs { "r+", "w+", "a+", "r+d" } do
        it("is as io's: " .. mode, function()
            tasks.run(function()
                play(mode, SEED)
            end, 60)
        end)
    end

    local shm = shell.output "stat -f -c %T /dev/shm 2>/dev/null"
    local on_tmpfs = shm == "tmpfs\n" and it or pending
    on_tmpfs("is as io's on tmpfs", function()
        tasks.run(function()
            for _, mode in ipairs { "r+", "a+" } do
                play(mode, SEED, "/dev/shm")
            end
        end, 60)
    end)
end)
