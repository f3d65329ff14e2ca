# What GitLab does with the lines of the preset: OmniAuth below /users/auth, and a page that tells who it is.
require 'json'
require 'omniauth_openid_connect'
require 'securerandom'
require 'sinatra/base'

gitlab_rails = {}
eval(File.read('gitlab.rb'), binding, 'gitlab.rb')
PROVIDER = gitlab_rails['omniauth_providers'].first
OmniAuth.config.path_prefix = '/users/auth'

class Application < Sinatra::Base
  use Rack::Session::Cookie, key: 'session', secret: SecureRandom.hex(64)
  use OmniAuth::Builder do
    provider PROVIDER[:name].to_sym, PROVIDER[:args]
  end

  get '/' do
    token = Rack::Protection::AuthenticityToken.token(session)
    known = JSON.generate(user: session[:user])
    "<pre id=\"who\">#{known}</pre><form method=\"post\" action=\"/users/auth/#{PROVIDER[:name]}\">" \
      "<input type=\"hidden\" name=\"authenticity_token\" value=\"#{token}\"><button>#{PROVIDER[:label]}</button></form>"
  end

  get '/users/auth/:name/callback' do
    info = request.env['omniauth.auth'].info
    session[:user] = { name: info.name, email: info.email, nickname: info.nickname }
    redirect '/'
  end

  get '/users/auth/failure' do
    status 401
    params['message'].to_s
  end

  get '/sign_out' do
    session.clear
    redirect '/'
  end
end
