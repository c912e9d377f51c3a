--- The addresses of a host as soon as it can be connected to: RFC 8305, 3. Both
-- families are asked for at once; IPv6 addresses need not wait for those of
-- IPv4, which wait 50 ms for them.
-- @module quoll.dns.early

local event = require "quoll.sync.event"
local resolver = require "quoll.dns.resolver"

local early = {}

local DELAY = 0.05 -- s that IPv4 addresses wait for the others

local function any(answer)
  return answer ~= nil and answer[1] ~= nil and #answer[1] > 0
end

-- Waits until what has come can be used.
local function settle(answers, wake)
  while not (answers.inet and answers.inet6) and not any(answers.inet6) do
    wake:clear()
    if not wake:wait(any(answers.inet) and DELAY or nil) then
      return
    end
  end
end

-- Addresses, or {} and the code of why there are none; nil, err, CODE when the
-- wait of both has ended.
local function join(answers)
  local list, why = {}, nil
  for _, family in ipairs { "inet6", "inet" } do
    local answer = answers[family]
    for _, address in ipairs(answer and answer[1] or {}) do
      list[#list + 1] = address
    end
    if answer and answer[2]
      and (not why or why == "ENODATA" or why == "ENOTFOUND") then
      why = answer[1] and answer[2] or answer[3]
    end
  end
  local inet, inet6 = answers.inet, answers.inet6
  if inet and inet6 and not inet[1] and not inet6[1] then
    return nil, inet6[2], inet6[3]
  end
  return list, why
end

-- Of one complete name.
local function first(s, race, ask)
  local answers, wake, given = {}, event.new(), false
  local function answer(family)
    answers[family] = { ask(family) }
    wake:set()
    if given then
      race:add(answers[family][1] or {})
    end
  end
  s:spawn(answer, "inet6")
  s:spawn(answer, "inet")
  settle(answers, wake)
  given = true
  race.coming = not (answers.inet and answers.inet6)
  return join(answers)
end

--- As quoll.dns.resolve, of both families; the tasks that ask belong to the
-- scope s. When those of one family are yet to come, race.coming is true, and
-- race:add(list) gets them, {} if there are none.
-- @tparam Scope s open until then
-- @string host
-- @tparam table race
-- @treturn[1] {string,...} IP addresses, one at least
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function early.resolve(s, host, race)
  return resolver.resolve(host, nil, nil, function(ask)
    return first(s, race, ask)
  end)
end

return early
