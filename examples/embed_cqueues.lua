-- quoll and cqueues, either in the other.
--
--   luajit examples/embed_cqueues.lua
--
-- A table with the three fields of a cqueues object (pollfd, events, timeout)
-- stands for quoll; a coroutine of cqueues' polls it and makes quoll's turns. A
-- controller has them as methods: quoll.wait waits for it, and so does
-- quoll.sync.select.

local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local socket = require "cqueues.socket"
local quoll = require "quoll"

-- quoll in a controller; returns a function that takes it out again.
local function embed(controller)
  local reactor = { pollfd = assert(quoll.fd()), events = "r" }
  local left, leaving = false, condition.new()
  controller:wrap(function()
    while not left do
      reactor.timeout = assert(quoll.step())
      cqueues.poll(reactor, leaving)
    end
  end)
  return function()
    left = true
    leaving:signal()
  end
end

local listener = assert(quoll.listen "127.0.0.1:0")
local server = quoll.spawn(listener.serve, listener, function(conn)
  conn:send { conn:receive():upper(), "\n" }
end)

local function ask(question)
  local port = tonumber(listener:address():match ":(%d+)$")
  local client = socket.connect("127.0.0.1", port)
  client:write(question, "\n")
  print(client:read "*l")
  client:close()
end

local outer = cqueues.new()
local leave = embed(outer)
outer:wrap(function()
  ask "quoll in cqueues"
  leave()
end)
assert(outer:loop())

quoll.run(function()
  local inner = cqueues.new()
  inner:wrap(ask, "cqueues in quoll")
  repeat
    assert(inner:step(0))
  until inner:empty() or not quoll.wait(inner)
  server:cancel()
end)
