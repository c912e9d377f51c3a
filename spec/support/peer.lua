-- peer.lua: a command as the other end of a connection, which runs while the
-- spec's own loop does. It ends by itself, or after 20 s.
local certs = require "spec.support.certs"
local ffi = require "ffi"
local quoll = require "quoll"

ffi.cdef "int fileno(void *);"

local Peer = {}
Peer.__index = Peer

local count = 0

-- Starts command in the folder of certs; its output and what it complains of
-- can be read, and `input` makes what is written its input.
function Peer.start(command, input)
    local fifo
    command = ("cd %s && exec timeout -k 1 20 %s 2>&1"):format(certs.folder(),
        command)
    if input then
        count = count + 1
        fifo = ("%s/fifo%d"):format(certs.folder(), count)
        certs.run("mkfifo " .. fifo)
        command = command .. " <" .. fifo
    else
        command = command .. " </dev/null"
    end
    local self = setmetatable({ pipe = assert(io.popen(command)) }, Peer)
    self.out = assert(quoll.adopt(ffi.C.fileno(self.pipe), { dup = true }))
    self.out:settimeout(20)
    self.input = fifo and assert(io.open(fifo, "w"))
    return self
end

function Peer:write(text)
    assert(self.input:write(text))
    self.input:flush()
end

-- What it prints up to pattern; raises when it ends before.
function Peer:expect(pattern)
    local all = {}
    repeat
        local line = assert(self.out:receive "*l", table.concat(all, "\n"))
        all[#all + 1] = line
    until line:find(pattern)
    return table.concat(all, "\n")
end

-- The end of its input; the rest of what it prints.
function Peer:finish()
    if self.input then
        self.input:close()
        self.input = nil
    end
    local rest = self.out:receive "*a"
    self.out:close()
    self.pipe:close()
    return rest
end

return Peer
