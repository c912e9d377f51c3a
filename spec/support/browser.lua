-- browser.lua: a headless Chromium, driven over our own WebSocket client by
-- the DevTools protocol. In a task.
local json = require "cjson.safe"
local quoll = require "quoll"

local browser = {}

local Page = {}
Page.__index = Page

-- The program, or nil: specs are pending then.
function browser.program()
    for _, name in ipairs { "chromium", "chromium-browser", "google-chrome" } do
        for folder in os.getenv("PATH"):gmatch "[^:]+" do
            local file = io.open(folder .. "/" .. name)
            if file then
                file:close()
                return name
            end
        end
    end
end

-- One command: its result; events that come meanwhile are passed over.
function Page:call(method, params)
    self.id = self.id + 1
    assert(self.ws:send(json.encode { id = self.id, method = method,
        params = params, sessionId = self.session }))
    while true do
        local message = json.decode((assert(self.ws:receive(30))))
        if message.id == self.id then
            assert(not message.error, message.error and message.error.message)
            return message.result
        end
    end
end

-- What a JavaScript expression comes to; a promise is waited for.
function Page:eval(expression)
    local result = self:call("Runtime.evaluate", { expression = expression,
        awaitPromise = true, returnByValue = true, userGesture = true })
    local thrown = result.exceptionDetails
    if thrown then
        error(thrown.exception and thrown.exception.description
            or thrown.text, 0)
    end
    return result.result.value
end

-- Goes there; waits until the page is loaded.
function Page:open(url)
    self:call("Page.navigate", { url = url })
    return self:eval [[new Promise(done => {
        const look = () => document.readyState === "complete"
            && location.href !== "about:blank" ? done() : setTimeout(look, 5)
        look()
    })]]
end

-- Waits until a JavaScript expression is true.
function Page:until_true(expression)
    return self:eval(([[new Promise((done, late) => {
        const end = Date.now() + 20000
        const look = () => {
            const value = %s
            if (value) done(value)
            else if (Date.now() > end) late(new Error("still not: " + %s))
            else setTimeout(look, 5)
        }
        look()
    })]]):format(expression, json.encode(expression)))
end

function Page:view(width, height, scheme)
    self:call("Emulation.setDeviceMetricsOverride", { width = width,
        height = height, deviceScaleFactor = 1, mobile = width < 600 })
    self:call("Emulation.setEmulatedMedia", { features = {
        { name = "prefers-color-scheme", value = scheme } } })
end

local function devtools(process)
    process.stderr:settimeout(30)
    for line in process.stderr:lines() do
        local url = line:match "^DevTools listening on (ws://%S+)"
        if url then
            return url
        end
    end
    error "the browser does not start"
end

local function first_page(self)
    local target = self:call("Target.createTarget", { url = "about:blank" })
    self.session = self:call("Target.attachToTarget",
        { targetId = target.targetId, flatten = true }).sessionId
    self:call "Page.enable"
end

local function arguments(folder)
    return { browser.program(), "--headless", "--no-sandbox", "--disable-gpu",
        "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
        "--disable-background-networking", "--user-data-dir=" .. folder,
        "--remote-debugging-port=0", "about:blank" }
end

-- fn(page) with a browser of its own, which is gone afterwards.
function browser.with(fn)
    local folder = os.tmpname()
    os.remove(folder)
    local process = assert(quoll.process.exec(arguments(folder), {
        stdout = "null", stderr = "pipe", pgroup = true, grace = 2 }))
    quoll.defer(function()
        process:kill("SIGKILL", { group = true })
        process:wait(10)
        os.execute("rm -rf " .. folder)
    end)
    local ws = assert(quoll.http.websocket(devtools(process),
        { max = 2 ^ 26, timeout = 30 }))
    local page = setmetatable({ ws = ws, id = 0 }, Page)
    first_page(page)
    local stderr = quoll.spawn(function() -- so that its pipe never fills
        return process.stderr:receive "*a"
    end)
    fn(page)
    ws:close()
    stderr:cancel()
end

return browser
