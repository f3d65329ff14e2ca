require_relative 'app'
run Application
