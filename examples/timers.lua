--- Timers and tasks side by side: a ticker, one-shots, a cancelled one.
--
--   luajit examples/timers.lua

local quoll = require "quoll"

local started = quoll.now()

local function say(...)
  local words = table.concat({ ... }, " ")
  print(("%4.1f s  %s"):format(quoll.now() - started, words))
end

quoll.run(function()
  local ticks = 0
  local ticker = quoll.timer.every(0.2, function()
    ticks = ticks + 1
    say("tick", ticks)
  end)

  quoll.timer.after(0.3, say, "once, after 0.3 s")
  local never = quoll.timer.after(0.5, say, "this line is never printed")

  local answer = quoll.spawn(function()
    quoll.sleep(0.4)
    return "slept 0.4 s in a task of its own"
  end)

  say(answer:wait())
  never:cancel()
  quoll.sleep(0.5)
  ticker:cancel()
  say("the ticker is", ticker:status(), "after", ticks, "ticks")
end)
