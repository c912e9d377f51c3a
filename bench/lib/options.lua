-- The command line of bench/run.
local options = {}

local function positive(name, text)
    local n = tonumber(text)
    if not n or n < 1 or n % 1 ~= 0 then
        error(name .. " wants a whole number, 1 or more", 0)
    end
    return n
end

local TAKES_VALUE = {
    ["--runs"] = function(opts, value)
        opts.runs = positive("--runs", value)
    end,
    ["--build"] = function(opts, value)
        opts.build = value
    end,
    ["--dir"] = function(opts, value)
        opts.dir = value
    end,
    ["--save"] = function(opts, value)
        opts.save = value
    end,
}

local FLAGS = { ["--quick"] = "quick", ["--check"] = "check",
    ["--help"] = "help", ["-h"] = "help" }

-- args -> { names, runs, quick, check, build, dir, save, help }, or an error
-- that says what is wrong.
function options.parse(args)
    local opts = {
        names = {},
        build = "build",
        dir = os.getenv("TMPDIR") or "/tmp",
    }
    local i = 1
    while args[i] do
        local word = args[i]
        if TAKES_VALUE[word] then
            i = i + 1
            if not args[i] then
                error(word .. " wants a value", 0)
            end
            TAKES_VALUE[word](opts, args[i])
        elseif FLAGS[word] then
            opts[FLAGS[word]] = true
        elseif word:sub(1, 1) == "-" then
            error("no such option: " .. word, 0)
        else
            table.insert(opts.names, word)
        end
        i = i + 1
    end
    opts.runs = opts.runs or opts.quick and 1 or opts.check and 3 or 5
    return opts
end

return options
