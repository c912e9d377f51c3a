-- Each test is a task with a deadline; what it leaves behind fails it.
require("quoll.busted").install { deadline = 20 }
local quoll = require "quoll"
local skeleton = require "skeleton"

describe("skeleton", function()
  it("waits for what is added", function()
    local counter = assert(skeleton.new())
    local waiter = quoll.spawn(counter.wait, counter)
    quoll.yield()
    assert(counter:add(2))
    assert.equal(2, waiter:wait())
    counter:add(1)
    counter:add(3)
    assert.equal(4, counter:wait())
  end)

  it("gives up after a time", function()
    local counter = assert(skeleton.new())
    assert.same({ nil, "timeout", "TIMEOUT" }, { counter:wait(0.001) })
    counter:add(1)
    assert.equal(1, counter:wait(0))
  end)

  it("loses nothing when its waiter is cancelled", function()
    local counter = assert(skeleton.new())
    local waiter = quoll.spawn(counter.wait, counter)
    quoll.yield()
    waiter:cancel()
    counter:add(5)
    waiter:wait()
    assert.equal(5, counter:wait())
  end)
end)

describe("the handle of a skeleton", function()
  it("tells its waiter that it is closed, and refuses a second one", function()
    local counter = assert(skeleton.new())
    local waiter = quoll.spawn(counter.wait, counter)
    quoll.yield()
    assert.same({ nil, "busy reading", "BUSY" }, { counter:wait() })
    assert.is_true(counter:close())
    assert.same({ nil, "closed", "CLOSED" }, { waiter:wait() })
    assert.same({ nil, "closed", "CLOSED" }, { counter:add(1) })
  end)

  it("is closed when its owner ends", function()
    local counter
    quoll.spawn(function() counter = skeleton.new() end):wait()
    assert.same({ nil, "closed", "OWNER_ENDED" }, { counter:wait() })
  end)

  it("refuses misuse where it is called", function()
    local counter = assert(skeleton.new())
    local ok, err = pcall(function() counter:add(0) end)
    assert.is_false(ok)
    assert.matches("skeleton_spec%.lua:%d+: bad argument 'n' to 'add'", err)
  end)
end)
