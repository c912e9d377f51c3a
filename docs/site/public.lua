-- public.lua: every function that a script can call, from the run-time tables.
local public = {}

-- What docs/API.md calls the values of a class -> the class, and where its
-- methods are: a table of quoll.core.methods, or of a module.
public.classes = {
    channel = { "Channel", core = "channel" },
    client = { "Client", module = "http.client" },
    conn = { "Connection", core = "connection" },
    context = { "Context", module = "tls.context" },
    directory = { "Directory", module = "fs.directory" },
    event = { "Event", core = "event" },
    file = { "File", core = "file" },
    jar = { "Jar", module = "http.client.jar" },
    limiter = { "Limiter", module = "sync.limiter" },
    listener = { "Listener", core = "listener" },
    log = { "Log", module = "http.middleware.accesslog" },
    mutex = { "Mutex", core = "mutex" },
    part = { "Part", module = "http.multipart.part" },
    pool = { "Pool", module = "sync.pool" },
    process = { "Process", core = "process" },
    req = { "Request", module = "http.message" },
    res = { "Response", module = "http.client.response" },
    router = { "Router", module = "http.router" },
    s = { "Scope" },
    semaphore = { "Semaphore", core = "semaphore" },
    subscription = { "Subscription" },
    task = { "Task" },
    templates = { "Templates", module = "http.template" },
    topic = { "Topic", module = "sync.topic" },
    udp = { "Udp", core = "udp" },
    waitgroup = { "Waitgroup", module = "sync.waitgroup" },
    watch = { "Watch", module = "watch" },
    ws = { "WebSocket" },
}

local function add(names, prefix, of)
    for name, value in pairs(of) do
        if type(value) == "table" and not getmetatable(value) then
            add(names, prefix .. name .. ".", value)
        else
            names[prefix .. name] = value
        end
    end
end

local function add_methods(names)
    local core = require "quoll.core"
    for name, class in pairs(public.classes) do
        if class.core then
            add(names, name .. ":", core.methods[class.core])
        elseif class.module then
            add(names, name .. ":", require("quoll." .. class.module).methods)
        end
    end
    add(names, "task:", core.task)
    add(names, "s:", core.scope)
    add(names, "subscription:",
        require("quoll.sync.topic").subscription_methods)
    require "quoll.http.websocket" -- has most of them
    add(names, "ws:", require("quoll.core.websocket").methods)
end

-- "quoll.spawn", "conn:send", ... -> the function, or what it is.
function public.names()
    local quoll = require "quoll"
    local names = { ["res.status"] = false } -- a field
    local http = quoll.http
    for name in pairs(getmetatable(http).parts) do -- loaded when asked for
        names["quoll.http." .. name] = http[name]
    end
    rawset(quoll, "http", nil)
    add(names, "quoll.", quoll)
    for _, name in ipairs { "stdin", "stdout", "stderr" } do
        names["quoll." .. name] = names["quoll." .. name] or false -- when asked
    end
    add(names, "busted.", require "quoll.busted")
    add_methods(names)
    return names
end

return public
