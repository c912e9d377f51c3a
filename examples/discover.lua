-- Who is there? Every copy that runs answers a question to a multicast group.
--   luajit examples/discover.lua serve [name [group:port [interface]]]
--   luajit examples/discover.lua find [group:port [interface]]
local quoll = require "quoll"

local GROUP = "239.255.77.77:7777"

local function split(address)
  local host, port = address:match "^(.*):(%d+)$"
  return host:match "^%[(.*)%]$" or host, tonumber(port)
end

local function any(host)
  return host:find ":" and "[::]" or "0.0.0.0"
end

local function serve(name, group, interface)
  local host, port = split(group)
  local u = assert(quoll.udp {
    bind = any(host) .. ":" .. port,
    reuseaddr = true,
  })
  assert(u:join(host, { interface = interface }))
  print("answering as " .. name .. " on port " .. select(2, u:getsockname()))
  while true do
    local question, address, theirs = u:receivefrom()
    if question == "who?" then
      u:sendto(name, address, theirs)
    end
  end
end

local function find(group, interface)
  local host, port = split(group)
  local u = assert(quoll.udp { bind = any(host) .. ":0" })
  if interface then
    assert(u:setoption("multicast-interface", interface))
  end
  assert(u:sendto("who?", host, port))
  u:settimeout(0.3)
  local name, address = u:receivefrom()
  while name do
    print(name, address)
    name, address = u:receivefrom()
  end
end

io.stdout:setvbuf "line"
if arg[1] == "serve" then
  quoll.run(serve, arg[2] or "somebody", arg[3] or GROUP, arg[4])
  print "stopped"
elseif arg[1] == "find" then
  quoll.run(find, arg[2] or GROUP, arg[3])
else
  error "usage: discover.lua serve|find ..."
end
