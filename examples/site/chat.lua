--- A chat over WebSockets: what one says everybody hears.

local quoll = require "quoll"
local json = require "cjson.safe"

local chat = {}

local KEPT = 20 -- messages that a newcomer sees
local WAITING = 100 -- messages that may wait for a slow reader

local room, said, people = quoll.sync.topic(), {}, 0

local function say(message)
  message.time, message.people = quoll.time(), people
  local text = json.encode(message)
  if message.text then
    said[#said + 1] = text
    if #said > KEPT then
      table.remove(said, 1)
    end
  end
  room:publish(text)
end

local function short(value, max)
  return type(value) == "string" and value:sub(1, max) or ""
end

local function listen(ws)
  for text in ws:messages() do
    local message = json.decode(text)
    if type(message) == "table" and short(message.text, 1) ~= "" then
      say { name = short(message.name, 40), text = short(message.text, 1000) }
    end
  end
end

--- GET /chat
function chat.join(req)
  local ws, status, text, headers = req:websocket { max = 8192 }
  if not ws then
    return status, text, headers
  end
  local heard = room:subscribe(WAITING, "drop")
  for _, message in ipairs(said) do
    ws:send(message)
  end
  people = people + 1
  quoll.defer(function()
    people = people - 1
    say {}
  end)
  say {}
  quoll.scope(function(scope)
    scope:background(function()
      for message in heard:values() do
        if not ws:send(message) then break end
      end
    end)
    listen(ws)
  end)
end

return chat
