package test;

import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A page that tells who is signed in. Spring Boot's defaults and the lines of the preset protect it. */
@SpringBootApplication
@RestController
public class Application {
  public static void main(String[] arguments) {
    SpringApplication.run(Application.class, arguments);
  }

  @GetMapping("/")
  public Map<String, Object> who(@AuthenticationPrincipal OidcUser user) {
    return Map.of(
        "user", user.getName(),
        "name", user.getFullName(),
        "email", user.getEmail(),
        "groups", user.getClaimAsStringList("groups"));
  }
}
